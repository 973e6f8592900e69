// SPDX-License-Identifier: BSL-1.0
// pthread's condition variables. Threads wait in libc, fibers in the condition_lot, and whoever
// signals tells both: libc's own signal, and one fiber. POSIX lets a signal wake more than one, and
// so neither kind is kept out by the other.
//
// A fiber stands in the lot before it unlocks the mutex, so a signal that comes from somebody who
// has locked the mutex since finds it.
//
// Cancellation. pthread_cond_wait() has no error for it, its callers do not look for one, and it
// must come back with the mutex locked. What POSIX does allow is to come back for no reason. So a
// scope that is cancelled, or whose deadline passes, while a fiber waits in it ends the wait: a
// timed one with ETIMEDOUT, one without a deadline with 0, upon which the caller looks at its
// condition. A caller that then goes on waiting must neither spin nor miss its signal: a wait that
// begins in a cancelled scope is a real one, but ends after 10 ms at the latest, in the same way.
// Thus code that looks at anything else than the condition gets out, and code that looks at nothing
// else waits for its signal as it would without coir, looking a hundred times a second; nobody can
// lead it out.
//
// On a plain thread in a scope each wait ends after 10 ms at the latest, too, for the thread learns
// of a deadline or a cancellation only by looking.
#include "hook/attribute_bit.hpp"
#include "hook/cancelled.hpp"
#include "hook/interpose.hpp"
#include "hook/parking_lot.hpp"
#include "hook/time_limit.hpp"

#include <pthread.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>

using namespace coir::hook::detail;
using coir::cancellable;
using coir::deadline;

namespace {

constexpr std::chrono::milliseconds longest_wait_unheard{10};

// What pthread_cond_init() notes, and pthread_cond_timedwait() goes by.
struct condition_attributes {
    static pthread_cond_t made_with(clockid_t clock, int process_shared) noexcept {
        pthread_condattr_t attributes;
        pthread_cond_t made = PTHREAD_COND_INITIALIZER;
        ::pthread_condattr_init(&attributes);
        ::pthread_condattr_setclock(&attributes, clock);
        ::pthread_condattr_setpshared(&attributes, process_shared);
        ::pthread_cond_init(&made, &attributes);
        ::pthread_condattr_destroy(&attributes);
        return made;
    }

    static const condition_attributes& get() noexcept {
        static const condition_attributes known;
        return known;
    }

    const pthread_cond_t plain = made_with(CLOCK_REALTIME, PTHREAD_PROCESS_PRIVATE);
    const attribute_bit<pthread_cond_t> monotonic{
        made_with(CLOCK_MONOTONIC, PTHREAD_PROCESS_PRIVATE), plain};
    const attribute_bit<pthread_cond_t> process_shared{
        made_with(CLOCK_REALTIME, PTHREAD_PROCESS_SHARED), plain};
};

void call_fibers(pthread_cond_t& c, bool all) noexcept {
    parking_lot::spot& spot = condition_lot.spot_of(&c);
    const std::lock_guard guard(spot);
    for (waiting_fiber* one = spot.first(&c); one != nullptr; one = spot.after(*one)) {
        if (!one->called) {
            spot.call(*one);
            if (!all) {
                return;
            }
        }
    }
}

// A wait that was not ended by a signal, with the mutex locked again.
int end_unheard(const time_limit& until, bool cancelled) noexcept {
    if (until.has_passed()) {
        return ETIMEDOUT;
    }
    return cancelled && !until.is_never() && error_of_cancellation() != 0 ? ETIMEDOUT : 0;
}

int wait_in_fiber(pthread_cond_t& c, pthread_mutex_t& m, const time_limit& until) noexcept {
    const bool cancelled_before = is_cancelled();
    const bool bounded = cancelled_before || condition_attributes::get().process_shared.is_set(c);
    const deadline bound = bounded ? deadline::after(longest_wait_unheard) : deadline::never();

    parking_lot::spot& spot = condition_lot.spot_of(&c);
    waiting_fiber self(&c);
    std::unique_lock guard(spot);
    condition_lot.enter(spot, self);
    guard.unlock();
    const int unlocked = ::pthread_mutex_unlock(&m);
    guard.lock();
    auto status = coir::wait_status::timed_out;
    while (unlocked == 0 && !self.called && status == coir::wait_status::timed_out &&
           !until.has_passed() && !bound.has_passed()) {
        status = spot.park(self, std::min(until.next_look(), bound),
                           {"a pthread condition variable", -1, true},
                           cancelled_before ? cancellable::no : cancellable::yes);
    }
    const bool called = self.called;
    condition_lot.leave(spot, self);
    guard.unlock();

    if (unlocked != 0) {
        if (called) {
            call_fibers(c, false);
        }
        return unlocked;
    }
    if (const int locked = ::pthread_mutex_lock(&m); locked != 0) {
        return locked;
    }
    return called ? 0
                  : end_unheard(until, cancelled_before || status == coir::wait_status::cancelled);
}

// On a plain thread in a scope.
int wait_in_thread(pthread_cond_t& c, pthread_mutex_t& m, clockid_t clock, const timespec* instant,
                   const time_limit& until) noexcept {
    const timespec bound = instant_after(CLOCK_MONOTONIC, longest_wait_unheard);
    const bool earlier = until.next_look() < deadline::after(longest_wait_unheard);
    const int result = earlier
                           ? COIR_ORIGINAL(pthread_cond_clockwait)(&c, &m, clock, instant)
                           : COIR_ORIGINAL(pthread_cond_clockwait)(&c, &m, CLOCK_MONOTONIC, &bound);
    return result != ETIMEDOUT ? result : end_unheard(until, is_cancelled());
}

// `clock` and `instant` say what `until` does; null: for ever.
int wait(pthread_cond_t& c, pthread_mutex_t& m, clockid_t clock, const timespec* instant) noexcept {
    const time_limit until = instant != nullptr ? time_limit(clock, *instant) : time_limit();
    if (!until.is_valid()) {
        return EINVAL;
    }
    return coir::detail::who_calls().may_park ? wait_in_fiber(c, m, until)
                                              : wait_in_thread(c, m, clock, instant, until);
}

clockid_t clock_of(const pthread_cond_t& c) noexcept {
    return condition_attributes::get().monotonic.is_set(c) ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

}  // namespace

COIR_HOOK int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) {
    return takes_call() ? wait(*c, *m, CLOCK_MONOTONIC, nullptr)
                        : COIR_ORIGINAL(pthread_cond_wait)(c, m);
}

COIR_HOOK int pthread_cond_timedwait(pthread_cond_t* c, pthread_mutex_t* m, const timespec* until) {
    return takes_call() ? wait(*c, *m, clock_of(*c), until)
                        : COIR_ORIGINAL(pthread_cond_timedwait)(c, m, until);
}

COIR_HOOK int pthread_cond_clockwait(pthread_cond_t* c, pthread_mutex_t* m, clockid_t clock,
                                     const timespec* until) {
    return takes_call() ? wait(*c, *m, clock, until)
                        : COIR_ORIGINAL(pthread_cond_clockwait)(c, m, clock, until);
}

COIR_HOOK int pthread_cond_signal(pthread_cond_t* c) noexcept {
    const int result = COIR_ORIGINAL(pthread_cond_signal)(c);
    if (condition_lot.somebody_waits_for(c)) {
        call_fibers(*c, false);
    }
    return result;
}

COIR_HOOK int pthread_cond_broadcast(pthread_cond_t* c) noexcept {
    const int result = COIR_ORIGINAL(pthread_cond_broadcast)(c);
    if (condition_lot.somebody_waits_for(c)) {
        call_fibers(*c, true);
    }
    return result;
}
