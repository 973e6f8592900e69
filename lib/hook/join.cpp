// SPDX-License-Identifier: BSL-1.0
// pthread_join and pthread_barrier_wait: what libc alone can wait for, since a thread's end is told
// to nobody else, and a barrier counts those who wait in libc. A fiber has a helper thread wait in
// its place, one for each wait: these wait for each other, or for what other fibers do on the
// blocking pool of the run, so a limit on their number would be a deadlock.
//
// Cancellation: neither is ended by one. Who has joined a thread frees what it has used, without a
// look at the result; and who has come to a barrier has been counted. But the joins with a deadline
// of their own have callers who expect that the thread still runs: they fail with ECANCELED, or
// ETIMEDOUT where a deadline was the cause, and the thread can still be joined.
#include "hook/cancelled.hpp"
#include "hook/interpose.hpp"
#include "hook/time_limit.hpp"

#include <coir/blocking_pool.hpp>
#include <coir/cancellation.hpp>
#include <coir/wait_queue.hpp>

#include <pthread.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <limits>

using namespace coir::hook::detail;
using coir::deadline;
using std::chrono::milliseconds;

namespace {

coir::blocking_pool& helpers() {
    // Never destroyed: who is waited for may outlive main().
    static auto& pool = *new coir::blocking_pool(
        {"hook", std::numeric_limits<std::size_t>::max(), std::chrono::seconds(1)});
    return pool;
}

// Has a helper make the call, whatever is cancelled meanwhile. If no thread can be started it is
// tried again: some end.
template <class Call>
int have_made(Call call) noexcept {
    for (;;) {
        try {
            return coir::shield([&] { return coir::run_blocking(helpers(), call); });
        } catch (const std::exception&) {
            coir::wait_queue nobody;
            nobody.park(deadline::after(milliseconds(10)), {"a thread that can be started"},
                        coir::cancellable::no);
        }
    }
}

// Fibers alone; a plain thread in a scope joins as libc does, unless there is a deadline.
bool is_fiber() noexcept { return coir::detail::who_calls().may_park; }

int join_until(pthread_t thread, void** result, const time_limit& until) noexcept {
    if (!until.is_valid()) {
        return EINVAL;
    }
    for (milliseconds pause(1);; pause = std::min(2 * pause, milliseconds(16))) {
        if (const int error = error_of_cancellation(); error != 0) {
            return error;
        }
        const int error = ::pthread_tryjoin_np(thread, result);
        if (error != EBUSY) {
            return error;
        }
        if (until.has_passed()) {
            return ETIMEDOUT;
        }
        coir::wait_queue nobody;
        nobody.park(std::min(until.next_look(), deadline::after(pause)), {"the end of a thread"});
    }
}

}  // namespace

COIR_HOOK int pthread_join(pthread_t thread, void** result) {
    if (!enabled() || !is_fiber() || ::pthread_equal(thread, ::pthread_self()) != 0) {
        return COIR_ORIGINAL(pthread_join)(thread, result);
    }
    const int at_once = ::pthread_tryjoin_np(thread, result);
    return at_once != EBUSY
               ? at_once
               : have_made([&] { return COIR_ORIGINAL(pthread_join)(thread, result); });
}

COIR_HOOK int pthread_timedjoin_np(pthread_t thread, void** result, const timespec* until) {
    if (!takes_call() || ::pthread_equal(thread, ::pthread_self()) != 0) {
        return COIR_ORIGINAL(pthread_timedjoin_np)(thread, result, until);
    }
    return join_until(thread, result,
                      until != nullptr ? time_limit(CLOCK_REALTIME, *until) : time_limit());
}

COIR_HOOK int pthread_clockjoin_np(pthread_t thread, void** result, clockid_t clock,
                                   const timespec* until) {
    if (!takes_call() || ::pthread_equal(thread, ::pthread_self()) != 0) {
        return COIR_ORIGINAL(pthread_clockjoin_np)(thread, result, clock, until);
    }
    return join_until(thread, result, until != nullptr ? time_limit(clock, *until) : time_limit());
}

COIR_HOOK int pthread_barrier_wait(pthread_barrier_t* barrier) noexcept {
    if (!enabled() || !is_fiber()) {
        return COIR_ORIGINAL(pthread_barrier_wait)(barrier);
    }
    return have_made([&] { return COIR_ORIGINAL(pthread_barrier_wait)(barrier); });
}
