// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/detail/shared_owned_lock.hpp>

#include "base/assert.hpp"
#include "core/waiter.hpp"
#include "sync/caller.hpp"
#include "sync/locked_word.hpp"
#include "sync/misuse.hpp"
#include "sync/woken_up.hpp"

#include <cstdint>
#include <mutex>
#include <utility>

namespace coir::detail {

// The value of state_: how many share the lock, times one_share; or the tag of its only owner and
// `exclusive`; 0 if nobody has it. Each may come with in_line: then there are turns in the line,
// and whoever comes has to look at it.
//
// There is one line for both kinds, in the order in which they came, so that neither can starve the
// other: those who want to share enter together with all of their kind up to the next one who wants
// the lock alone. A wait_queue tells nobody who is its first. So the line is made of turns, each
// with a queue of its own, in which only its owner waits.
//
// As in owned_lock, a fiber of this carrier runs soon and is handed the lock, and one that sleeps
// elsewhere is called: meanwhile the lock is as it is, for whoever comes. A turn
//
//   waiting   waits until it is its turn
//   called    was woken up and is on its way. Whoever comes may go past it
//   late      found, when it came, that it does not fit. It is first, and nobody goes past it
//
// and leaves the line when its owner has the lock, or gives up:
//
//   waiting -> gone     admit(), for a fiber of this carrier: the lock is handed over; or the
//                       deadline
//   waiting -> called   admit(), for any other
//   called -> gone      its owner comes and finds that it fits
//   called -> late      it finds that it does not
//   late -> gone        admit(): the lock is handed over; or the deadline
//
// The called ones are one who wants the lock alone, or some who want to share it; the late ones of
// them stand before the others. All of it is guarded by the word's lock.
namespace {

using value = locked_word::value;

constexpr value in_line = 2;
constexpr value exclusive = 4;
constexpr value one_share = 8;

constexpr value owned_by(const caller& c) noexcept { return c.tag << 3 | exclusive; }
constexpr value owner(value state) noexcept { return state & ~(in_line | value{1}); }
constexpr bool shared(value state) noexcept {
    return (state & exclusive) == 0 && state >= one_share;
}

constexpr bool fits(value state, bool alone) noexcept {
    return alone ? owner(state) == 0 : (state & exclusive) == 0;
}

wait_label label_for(value state, bool from_outside) noexcept {
    if (owner(state) == 0) {
        return {"a shared mutex", -1, from_outside};
    }
    if ((state & exclusive) == 0) {
        return {"a shared mutex that others share", -1, from_outside};
    }
    const long fiber = fiber_of(state >> 3);
    return {fiber >= 0 ? "a shared mutex held by fiber" : "a shared mutex held by a thread", fiber,
            from_outside};
}

}  // namespace

// A place in line, on the stack of whoever waits.
struct shared_owned_lock::turn : wait_link, woken_link {
    enum class standing : std::uint8_t { waiting, called, late };

    turn(const caller& c, bool wants_it_alone) noexcept
        : wait_link{nullptr, nullptr}, who(c), alone(wants_it_alone) {}

    bool linked() const noexcept { return next != nullptr; }
    void link_before(wait_link& other) noexcept {
        previous = other.previous;
        next = &other;
        previous->next = this;
        other.previous = this;
    }
    void unlink() noexcept {
        previous->next = next;
        next->previous = previous;
        previous = next = nullptr;
    }

    const caller who;
    const bool alone;
    standing stands = standing::waiting;
    wait_queue waiting;
};

shared_owned_lock::~shared_owned_lock() {
    COIR_ASSERT(line_.next == &line_, "a shared mutex is destroyed while somebody waits for it");
}

// With the word locked: gives the lock to `who`, for whom it is free.
void shared_owned_lock::give(const caller& who, bool alone) noexcept {
    const value found = state_.get();
    state_.set(alone ? owned_by(who) | (found & in_line) : found + one_share);
    if (alone) {
        origin_.owned_from(who.run);
    }
}

// With the word locked: makes the lock the caller's if it is free for that, and nobody is in line
// but such as may be passed.
bool shared_owned_lock::take(const caller& self, bool alone) noexcept {
    if (!fits(state_.get(), alone)) {
        return false;
    }
    if (line_.next != &line_ && (static_cast<turn*>(line_.next)->stands != turn::standing::called ||
                                 !origin_.may_overtake(self.run))) {
        return false;
    }
    give(self, alone);
    return true;
}

// With the word locked: lets in, or calls, whoever is first in line, and so on for as long as they
// fit.
void shared_owned_lock::admit(woken_up& woken) noexcept {
    for (wait_link* at = line_.next; at != &line_;) {
        turn& each = static_cast<turn&>(*at);
        at = at->next;
        // Who wants the lock alone stays behind those who were called to share it.
        if (!fits(state_.get(), each.alone) || (each.alone && each.previous != &line_)) {
            break;
        }
        if (each.stands != turn::standing::called) {
            claimed_waiter waiter = each.waiting.claim_one();
            if (!waiter) {
                each.unlink();  // it has timed out
                continue;
            }
            if (each.stands == turn::standing::late || waiter.is_local()) {
                each.unlink();
                give(each.who, each.alone);
            } else {
                each.stands = turn::standing::called;
            }
            woken.add(each, std::move(waiter));
        }
        if (each.alone) {
            break;
        }
    }
    if (line_.next == &line_) {
        state_.set(state_.get() & ~in_line);
    }
}

bool shared_owned_lock::wait(turn& mine, deadline until, const char* type) {
    woken_up woken;
    std::unique_lock guard(state_);
    if (take(mine.who, mine.alone)) {
        return true;
    }
    const value found = state_.get();
    if (owner(found) == owned_by(mine.who)) {
        guard.unlock();
        throw_holds_it_already(type);
    }
    bool from_outside = origin_.join(mine.who.run, line_.next == &line_);
    mine.link_before(line_);
    state_.set(found | in_line);
    wait_status status =
        mine.waiting.park(guard, until, label_for(found, from_outside), cancellable::no);
    if (status == wait_status::notified && mine.linked()) {  // called
        const value now = state_.get();
        if (!fits(now, mine.alone)) {
            mine.stands = turn::standing::late;
            mine.unlink();
            mine.link_before(*line_.next);
            from_outside = origin_.join(mine.who.run, false);
            status = mine.waiting.park(guard, until, label_for(now, from_outside), cancellable::no);
        } else {
            give(mine.who, mine.alone);
        }
    }
    if (mine.linked()) {
        mine.unlink();
        admit(woken);  // who could not go past us may fit
    }
    return status == wait_status::notified;
}

// --- Alone -------------------------------------------------------------------------------------

bool shared_owned_lock::lock_until(deadline until, const char* type) {
    const caller self = this_caller();
    if (state_.change(0, owned_by(self), std::memory_order_acquire)) {
        origin_.owned_from(self.run);
        return true;
    }
    turn mine(self, true);
    return wait(mine, until, type);
}

bool shared_owned_lock::try_lock() noexcept {
    const caller self = this_caller();
    if (state_.change(0, owned_by(self), std::memory_order_acquire)) {
        origin_.owned_from(self.run);
        return true;
    }
    if (owner(state_.peek(std::memory_order_relaxed)) == 0) {
        const std::lock_guard guard(state_);
        if (take(self, true)) {
            return true;
        }
    }
    spend_budget();  // for loops around it, as in owned_lock
    return false;
}

void shared_owned_lock::unlock(const char* type) {
    const value mine = owned_by(this_caller());
    const value found = state_.peek(std::memory_order_relaxed);
    if (owner(found) != mine) {
        throw_does_not_hold_it(type);
    }
    origin_.owned_from(nullptr);
    if (found == mine && state_.change(mine, 0, std::memory_order_release)) {
        return;  // the lock may be gone now
    }
    woken_up woken;
    const std::lock_guard guard(state_);
    state_.set(state_.get() & in_line);
    admit(woken);
}

// --- Shared ------------------------------------------------------------------------------------

// Takes a share if there is nobody in line or alone, and nobody has the word locked.
bool shared_owned_lock::share() noexcept {
    value found = state_.peek(std::memory_order_relaxed);
    while ((found & (1 | in_line | exclusive)) == 0) {
        if (state_.change(found, found + one_share, std::memory_order_acquire)) {
            return true;
        }
        found = state_.peek(std::memory_order_relaxed);
    }
    return false;
}

bool shared_owned_lock::lock_shared_until(deadline until, const char* type) {
    if (share()) {
        return true;
    }
    turn mine(this_caller(), false);
    return wait(mine, until, type);
}

bool shared_owned_lock::try_lock_shared() noexcept {
    if (share()) {
        return true;
    }
    {
        const std::lock_guard guard(state_);
        if (take(this_caller(), false)) {
            return true;
        }
    }
    spend_budget();
    return false;
}

void shared_owned_lock::unlock_shared(const char* type) {
    // One who is not the last, or whom nobody waits for, need not look at the line.
    value found = state_.peek(std::memory_order_relaxed);
    while ((found & 1) == 0 && shared(found) &&
           ((found & in_line) == 0 || owner(found) > one_share)) {
        if (state_.change(found, found - one_share, std::memory_order_release)) {
            return;  // the lock may be gone now
        }
        found = state_.peek(std::memory_order_relaxed);
    }
    woken_up woken;
    std::unique_lock guard(state_);
    found = state_.get();
    if (!shared(found)) {
        guard.unlock();
        throw_does_not_hold_it(type);
    }
    state_.set(found - one_share);
    admit(woken);
}

}  // namespace coir::detail
