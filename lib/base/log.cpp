// SPDX-License-Identifier: BSL-1.0
#include "base/log.hpp"

#include "base/libc_only.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace coir::detail {

namespace {

constexpr char logger_name[] = "coir";

// Relaxed, as it publishes nothing: the sink itself is read under the lock, and the flag only
// spares everyone else that lock.
std::atomic<bool> has_sink{false};
std::mutex sink_mutex;
log_sink sink;  // guarded by sink_mutex

constexpr spdlog::level::level_enum to_spdlog(log_level level) noexcept {
    switch (level) {
        case log_level::trace: return spdlog::level::trace;
        case log_level::debug: return spdlog::level::debug;
        case log_level::info: return spdlog::level::info;
        case log_level::warning: return spdlog::level::warn;
        case log_level::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

std::shared_ptr<spdlog::logger> find_or_register_logger() {
    if (std::shared_ptr<spdlog::logger> registered = spdlog::get(logger_name)) {
        return registered;
    }
    return spdlog::stderr_color_mt(logger_name);
}

// Looked up once, because the registry takes a lock. Never destroyed: a thread that outlives main()
// may still log.
spdlog::logger& logger() {
    static const auto* const kept = new std::shared_ptr<spdlog::logger>(find_or_register_logger());
    return **kept;
}

bool log_to_sink(log_level level, std::string_view message) {
    if (!has_sink.load(std::memory_order_relaxed)) {
        return false;
    }
    const std::lock_guard lock(sink_mutex);
    if (!sink) {
        return false;
    }
    sink(level, message);
    return true;
}

}  // namespace

void log(log_level level, std::string_view message) noexcept {
    const libc_only no_switch;  // other threads and fibers log, too, and would meet a lock
    try {
        if (!log_to_sink(level, message)) {
            logger().log(to_spdlog(level), spdlog::string_view_t(message.data(), message.size()));
        }
    } catch (...) {
        // Who logs is in no position to handle that the log can't be written.
    }
}

bool log_enabled(log_level level) noexcept {
    const libc_only no_switch;
    try {
        return has_sink.load(std::memory_order_relaxed) || logger().should_log(to_spdlog(level));
    } catch (...) {
        return false;
    }
}

void set_log_sink(log_sink replacement) {
    const std::lock_guard lock(sink_mutex);
    sink = std::move(replacement);
    has_sink.store(static_cast<bool>(sink), std::memory_order_relaxed);
}

}  // namespace coir::detail
