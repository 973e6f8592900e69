// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

// What a library that takes libc's names needs of coir: coir::hook does, and nobody else has to.
namespace coir::detail {

// Has coir call, from now on, what `look_up` gives for libc's names; null leaves a call as it was.
// Before the first fiber runs, while nobody calls coir.
COIR_API void take_system_calls_from(void* (*look_up)(const char* name)) noexcept;

// Whether a call of libc's that would block is to be made on coir's terms: by a fiber, or under a
// cancel scope or a deadline, and not in a passthrough or another stretch that must not switch.
// Async-signal-safe.
COIR_API bool calls_may_park() noexcept;

// A fiber's calls are libc's own between these, which nest; other fibers' are not. On a plain
// thread, the thread's.
COIR_API void begin_passthrough() noexcept;
COIR_API void end_passthrough() noexcept;

// Nothing may switch fibers between these, which nest, and are of one thread. Async-signal-safe.
COIR_API void begin_signal_handler() noexcept;
COIR_API void end_signal_handler() noexcept;

}  // namespace coir::detail
