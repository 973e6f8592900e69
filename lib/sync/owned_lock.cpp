// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/detail/owned_lock.hpp>

#include "core/waiter.hpp"
#include "sync/caller.hpp"
#include "sync/locked_word.hpp"
#include "sync/misuse.hpp"

#include <mutex>

namespace coir::detail {

// The value of state_ is the tag of the owner, 0 if nobody owns the lock, and with it the line:
//
//   none      nobody waits
//   waiting   somebody may wait in the queue: unlock() has to look
//   called    the first in line was woken up and is on its way, no longer in the queue
//   late      that one came when somebody had taken the lock again. It waits at the head of the
//             queue, and the next unlock() gives the lock to it
//
// or handed_over: the first in line has the lock, and has not run since.
//
//   0 -> tag                       lock, try_lock
//   tag -> 0                       unlock
//   tag -> tag | waiting           somebody joins the line
//   tag | waiting -> handed_over   unlock, if the first in line is a fiber of this carrier
//   tag | waiting -> called        unlock, if it is not
//   tag | waiting -> 0             unlock finds that nobody waits any more
//   called -> tag | called -> called ...   lock, try_lock and unlock, until the called one comes:
//     called -> tag (| waiting)            it finds the lock free
//     tag | called -> tag | late           it finds it taken
//   tag | late -> handed_over      unlock (-> 0: the late one has timed out, and is the last)
//   handed_over -> tag (| waiting)  the new owner runs
//
// The first two are one compare-and-exchange; the others are made with the word locked.
//
// A fiber of this carrier runs soon, so to hand over costs nothing. A sleeping carrier or thread
// takes a thousand times as long as most owners keep a lock; nobody shall stand in line for that.
namespace {

using value = locked_word::value;

constexpr value none = 0 << 1;
constexpr value waiting = 1 << 1;
constexpr value called = 2 << 1;
constexpr value late = 3 << 1;

constexpr value flags = 7;  // the lock bit, too
constexpr value handed_over = ~flags | waiting;

constexpr value owned_by(const caller& c) noexcept { return c.tag << 3; }
constexpr value owner(value state) noexcept { return state & ~flags; }
constexpr value line(value state) noexcept { return state & late; }

wait_label label_for(value state, bool from_outside) noexcept {
    if (owner(state) == 0 || owner(state) == owner(handed_over)) {
        return {"a mutex", -1, from_outside};
    }
    const long fiber = fiber_of(state >> 3);
    return {fiber >= 0 ? "a mutex held by fiber" : "a mutex held by a thread", fiber, from_outside};
}

}  // namespace

bool owned_lock::held_by_caller() const noexcept {
    // Relaxed: only the caller itself writes its own tag.
    return owner(state_.peek(std::memory_order_relaxed)) == owned_by(this_caller());
}

void owned_lock::lock(const char* type) {
    const caller self = this_caller();
    if (state_.change(0, owned_by(self), std::memory_order_acquire)) {
        origin_.owned_from(self.run);
        return;
    }
    wait(self, deadline::never(), type);
}

bool owned_lock::try_lock() noexcept {
    const caller self = this_caller();
    if (state_.change(0, owned_by(self), std::memory_order_acquire)) {
        origin_.owned_from(self.run);
        return true;
    }
    if (owner(state_.peek(std::memory_order_relaxed)) == 0) {
        const std::lock_guard guard(state_);
        if (take(self)) {
            return true;
        }
    }
    // A loop around try_lock() must not keep the owner, if it is a fiber of ours, from running.
    spend_budget();
    return false;
}

bool owned_lock::lock_until(deadline until, const char* type) {
    const caller self = this_caller();
    if (state_.change(0, owned_by(self), std::memory_order_acquire)) {
        origin_.owned_from(self.run);
        return true;
    }
    return wait(self, until, type);
}

// With the word locked: makes the lock the caller's if nobody owns it.
bool owned_lock::take(const caller& self) noexcept {
    const value found = state_.get();
    if (owner(found) != 0 || (line(found) == called && !origin_.may_overtake(self.run))) {
        return false;
    }
    state_.set(owned_by(self) | line(found));
    origin_.owned_from(self.run);
    return true;
}

bool owned_lock::wait(const caller& self, deadline until, const char* type) {
    std::unique_lock guard(state_);
    if (take(self)) {
        return true;
    }
    const value found = state_.get();
    if (owner(found) == owned_by(self)) {
        guard.unlock();
        throw_holds_it_already(type);
    }
    const bool from_outside = origin_.join(self.run, line(found) == none);
    if (line(found) == none) {
        state_.set(found | waiting);
    }
    wait_status status =
        waiting_.park(guard, until, label_for(found, from_outside), cancellable::no);
    if (status == wait_status::notified && line(state_.get()) == called) {
        status = arrive(self, guard, until);
    }
    if (status == wait_status::notified) {
        state_.set(owned_by(self) | (waiting_.empty() ? none : waiting));
        origin_.owned_from(self.run);
        return true;
    }
    return false;
}

// The called one is here, with the word locked. Notified: the lock is for it.
wait_status owned_lock::arrive(const caller& self, std::unique_lock<locked_word>& guard,
                               deadline until) {
    const value found = state_.get();
    if (owner(found) == 0) {
        return wait_status::notified;
    }
    state_.set(owner(found) | late);
    const bool from_outside = origin_.join(self.run, false);
    return waiting_.park_in_front(guard, until, label_for(found, from_outside), cancellable::no);
}

void owned_lock::unlock(const char* type) {
    const value mine = owned_by(this_caller());
    const value found = state_.peek(std::memory_order_relaxed);
    if (owner(found) != mine) {
        throw_does_not_hold_it(type);
    }
    origin_.owned_from(nullptr);
    if (found == mine && state_.change(mine, 0, std::memory_order_release)) {
        return;  // the lock may be gone now
    }
    // Who is taken out of the line waits until the delivery, and keeps the lock in being. It is
    // made with the word unlocked: it may be a system call.
    claimed_waiter first;
    const std::lock_guard guard(state_);
    const value others = line(state_.get());
    if (others == called) {
        state_.set(called);
    } else if (first = waiting_.claim_one(); !first) {
        state_.set(0);
    } else {
        state_.set(others == late || first.is_local() ? handed_over : called);
    }
}

}  // namespace coir::detail
