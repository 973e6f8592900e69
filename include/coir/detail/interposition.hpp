// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <cstdint>

// What a library that takes libc's names needs of coir: coir::hook does, and nobody else has to.
namespace coir::detail {

// Has coir call, from now on, what `look_up` gives for libc's names; null leaves a call as it was.
// Before the first fiber runs, while nobody calls coir.
COIR_API void take_system_calls_from(void* (*look_up)(const char* name)) noexcept;

// Whether a call of libc's that would block is to be made on coir's terms: by a fiber, or under a
// cancel scope or a deadline, and not in a passthrough or another stretch that must not switch.
// Async-signal-safe.
COIR_API bool calls_may_park() noexcept;

// The fiber whose code makes a call: what a lock is owned by.
struct calling_fiber {
    std::uint64_t id;  // 0: a plain thread, or the scheduler between two fibers
    bool may_park;     // it is no passthrough, and no other stretch that must not switch
};
COIR_API calling_fiber who_calls() noexcept;

// Has every fiber call `fn` before it parks; null: none. Before the first fiber runs. `fn` must not
// wait.
COIR_API void call_before_parks(void (*fn)() noexcept) noexcept;

// A fiber's calls are libc's own between these, which nest; other fibers' are not. On a plain
// thread, the thread's.
COIR_API void begin_passthrough() noexcept;
COIR_API void end_passthrough() noexcept;

// Nothing may switch fibers between these, which nest, and are of one thread. Async-signal-safe.
COIR_API void begin_signal_handler() noexcept;
COIR_API void end_signal_handler() noexcept;

}  // namespace coir::detail
