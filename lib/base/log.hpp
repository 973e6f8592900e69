// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <string_view>

namespace coir::detail {

enum class log_level { trace, debug, info, warning, error };

// Writes one message, without a newline at its end, to the spdlog logger named "coir". If the
// application has registered a logger of this name before coir first logs, that one is used, with
// its sinks and level; otherwise coir registers one that writes to stderr, and the application may
// change its level through spdlog::get("coir").
//
// Never throws: what can't be written is dropped. Blocks the thread, not the fiber, for as long as
// the sink does. Any thread may call it.
void log(log_level level, std::string_view message) noexcept;

// Whether log() would write at this level; one or two loads, so that the building of a message can
// be skipped.
bool log_enabled(log_level level) noexcept;

using log_sink = std::function<void(log_level, std::string_view)>;

// Sends every message, of every level, to the sink instead of spdlog; an empty sink restores
// spdlog. For tests. The sink is called under a lock: one call at a time, and none any more once
// set_log_sink has returned. So it must not log itself, and must not switch fibers.
void set_log_sink(log_sink sink);

}  // namespace coir::detail
