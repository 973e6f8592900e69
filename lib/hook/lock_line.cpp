// SPDX-License-Identifier: BSL-1.0
#include "hook/lock_line.hpp"

#include "hook/parking_lot.hpp"
#include "hook/retry_pace.hpp"

#include <algorithm>
#include <cerrno>
#include <mutex>

namespace coir::hook::detail {

namespace {

// Calls the first who wants the lock alone, and all who would share it; each once.
void call_waiting(const parking_lot::spot& spot, const void* lock) noexcept {
    bool called_one_alone = false;
    for (waiting_fiber* one = spot.first(lock); one != nullptr; one = spot.after(*one)) {
        if (one->alone && called_one_alone) {
            continue;
        }
        called_one_alone = called_one_alone || one->alone;
        if (!one->called) {
            spot.call(*one);
        }
        if (!one->shareable) {
            break;
        }
    }
}

// Whether somebody stands before `self` whom it must not overtake.
bool must_wait_its_turn(const parking_lot::spot& spot, const waiting_fiber& self,
                        bool behind_writers) noexcept {
    for (const waiting_fiber* one = spot.first(self.object); one != &self; one = spot.after(*one)) {
        const bool has_precedence = one->overtaken || (one->called && one->carrier == self.carrier);
        if (one->alone && (self.alone ? has_precedence : behind_writers)) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool line_is_empty(const void* lock) noexcept { return lock_lot.seems_empty(lock); }

int get_in_line(contended_lock& wanted, const time_limit& until) noexcept {
    const void* const lock = wanted.address();
    parking_lot::spot& spot = lock_lot.spot_of(lock);
    waiting_fiber self(lock);
    self.alone = wanted.wants_it_alone();
    self.shareable = wanted.is_shareable();
    std::unique_lock guard(spot);
    // Where nobody is in line yet, whoever holds the lock is taken for one of those who soon give
    // it up, and libc waits for that: to park a fiber costs more, and in the middle of what a
    // short-lived lock protects is not the place to let others run.
    bool may_be_brief = spot.first(lock) == nullptr;
    lock_lot.enter(spot, self);
    retry_pace pace;
    int result = EBUSY;
    for (;;) {
        if (!must_wait_its_turn(spot, self, wanted.writers_go_first())) {
            result = wanted.attempt();
        }
        if (result != EBUSY) {
            break;
        }
        if (until.has_passed()) {
            result = ETIMEDOUT;
            break;
        }
        const bool here = wanted.is_held_here();
        if (may_be_brief && !here) {
            may_be_brief = false;
            guard.unlock();
            result = wanted.attempt_for_a_moment();
            guard.lock();
            if (result != EBUSY) {
                break;
            }
            continue;  // with the lock held, so that no release is missed
        }
        self.overtaken = self.overtaken || self.called;
        self.called = false;
        const deadline next_try = !here && wanted.may_be_released_unseen()
                                      ? deadline::after(pace.next_pause())
                                      : deadline::never();
        spot.park(self, std::min(until.next_look(), next_try), wanted.label(), cancellable::no);
    }
    lock_lot.leave(spot, self);
    if (result != 0) {
        call_waiting(spot, lock);  // what was ours to take is the next one's
    }
    return result;
}

void call_line_slowly(const void* lock) noexcept {
    parking_lot::spot& spot = lock_lot.spot_of(lock);
    const std::lock_guard guard(spot);
    call_waiting(spot, lock);
}

void call_line(const void* lock) noexcept {
    if (lock_lot.somebody_waits_for(lock)) {
        call_line_slowly(lock);
    }
}

void spend_budget() noexcept {
    wait_queue nobody;
    nobody.park(deadline::immediately(), {}, cancellable::no);
}

}  // namespace coir::hook::detail
