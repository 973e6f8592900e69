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

class scheduler;

// How far a carrier has come.
struct carrier_progress {
    std::uint32_t turns;  // goes up whenever a fiber has stopped running, and wraps
    bool asleep;          // nobody is ready, and it waits in its poller
};
// Any thread, as long as the carrier is one.
COIR_API carrier_progress progress_of(const scheduler& carrier) noexcept;
// The calling thread's; null on a plain thread.
COIR_API const scheduler* calling_carrier() noexcept;

// Has every thread that becomes a carrier from now on call `begin` before its first fiber runs, and
// `end` when none does any more; null: none. Both are called as on a plain thread. `end` may come
// for a carrier that has begun before.
COIR_API void call_for_carriers(void (*begin)(const scheduler&) noexcept,
                                void (*end)(const scheduler&) noexcept) noexcept;

// The fiber whose code is running on the calling thread, as in who_calls().
struct running_fiber {
    std::uint64_t id;     // 0: none
    const char* name;     // what it was given, so perhaps empty; as long as it runs
    std::uint32_t turns;  // of its carrier
};
// Async-signal-safe.
COIR_API running_fiber who_runs() noexcept;

// A fiber's calls are libc's own between these, which nest; other fibers' are not. On a plain
// thread, the thread's.
COIR_API void begin_passthrough() noexcept;
COIR_API void end_passthrough() noexcept;

// Whether the code that a signal's handler has interrupted can be left for good, by a jump to a
// frame at this address: not if it is the scheduler, or about to wait or has just done so, nor for
// a frame of another fiber's. Async-signal-safe.
COIR_API bool may_jump_to(const void* frame) noexcept;

// A handler of a signal is about to run on the calling thread: hooked calls of the fibers that wait
// here fail with EINTR, as signal(7) has it; `restarts` tells of SA_RESTART. Async-signal-safe, and
// keeps errno.
COIR_API void count_signal_handler(bool restarts) noexcept;
// That will be done. Before the first fiber runs.
COIR_API void signal_handlers_will_be_counted() noexcept;

// Nothing may switch fibers between these, which nest, and are of one thread. Async-signal-safe.
COIR_API void begin_signal_handler() noexcept;
COIR_API void end_signal_handler() noexcept;

}  // namespace coir::detail
