// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace coir {

/// @brief Which readiness call of the kernel resumes fibers that wait for descriptors.
enum class reactor_kind : std::uint8_t {
    automatic,  ///< the best that the system has: epoll on Linux, poll elsewhere
    poll,       ///< poll(2): everywhere, its cost grows with the number of waiting descriptors
    epoll,      ///< epoll(7): Linux
    io_uring,   ///< io_uring(7): Linux, if coir was built with liburing. Where the kernel or a
                ///< sandbox refuses it: epoll, and the log says why
};

/// @brief How stacks get the guard page that turns an overflow into a report.
enum class guard_kind : std::uint8_t {
    automatic,  ///< madvise where the kernel has it, else mprotect
    madvise,    ///< `MADV_GUARD_INSTALL`, Linux 6.13: costs no mapping
    mprotect,   ///< mprotect(2): everywhere; two mappings a stack count against `vm.max_map_count`
};

/// @brief What time is for fibers.
enum class clock_kind : std::uint8_t {
    steady,        ///< the machine's steady clock
    virtual_time,  ///< for tests: jumps to the next deadline whenever nothing is ready
};

/// @brief What can be chosen for a run().
struct run_options {
    /// How many carrier threads run fibers: the one that calls run(), and so many less one that
    /// live as long as the run. 1 to 1024. With more than one, a fiber that has not started yet may
    /// start on any of them, unless fiber_options::carrier names one.
    std::size_t threads = 1;

    /// The environment variable `COIR_REACTOR` (`poll`, `epoll` or `io_uring`) overrides it.
    reactor_kind reactor = reactor_kind::automatic;

    /// Bytes of address space for a fiber's stack where fiber_options name none; memory is used as
    /// the stack grows. 16 KiB to 1 GiB.
    std::size_t stack_size = 256 * 1024;

    /// Stack guards. The environment variable `COIR_GUARD` (`madvise` or `mprotect`) overrides it.
    guard_kind guard = guard_kind::automatic;

    /// How many threads run_blocking() may use at once, for all carriers together; they are started
    /// on demand. At least 1.
    std::size_t blocking_threads = 64;

    /// The clock that sleeps and deadlines go by. Virtual time is for one carrier thread.
    clock_kind clock = clock_kind::steady;

    /// How much longer than until the first deadline a carrier that has nothing to do may sleep, so
    /// that it wakes once for all deadlines that are no further apart. Nothing is ever early, a
    /// lone sleeper is as punctual as ever, and descriptors and other threads wake it at once. Not
    /// positive: it wakes for each. On virtual time it always does, and a guest_run leaves it to
    /// its host.
    std::chrono::nanoseconds timer_slack = std::chrono::microseconds(50);
};

}  // namespace coir
