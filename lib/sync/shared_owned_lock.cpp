// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/detail/shared_owned_lock.hpp>

#include "base/assert.hpp"
#include "core/waiter.hpp"
#include "sync/caller.hpp"
#include "sync/locked_word.hpp"
#include "sync/misuse.hpp"

#include <mutex>

namespace coir::detail {

// The value of state_: how many share the lock, times one_share; or the tag of its only owner and
// `exclusive`. Either may come with in_line: then others wait, or have waited a moment ago, and
// nobody who comes now goes past them.
//
// There is one line for both kinds, in the order in which they came, so that neither can starve the
// other: those who want to share enter together with all of their kind up to the next one who wants
// the lock alone. A wait_queue tells nobody who is its first. So the line is made of turns, each
// with a queue of its own, in which only its owner waits.
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

wait_label label_for(value state, bool from_outside) noexcept {
    if ((state & exclusive) == 0) {
        return {"a shared mutex that others share", -1, from_outside};
    }
    const long fiber = fiber_of(state >> 3);
    return {fiber >= 0 ? "a shared mutex held by fiber" : "a shared mutex held by a thread", fiber,
            from_outside};
}

}  // namespace

// A place in line, on the stack of whoever waits.
struct shared_owned_lock::turn : wait_link {
    turn(const caller& c, bool wants_it_alone) noexcept
        : wait_link{nullptr, nullptr}, who(c), alone(wants_it_alone) {}

    bool linked() const noexcept { return next != nullptr; }
    void link_before(wait_link& head) noexcept {
        previous = head.previous;
        next = &head;
        previous->next = this;
        head.previous = this;
    }
    void unlink() noexcept {
        previous->next = next;
        next->previous = previous;
        previous = next = nullptr;
    }

    const caller who;
    const bool alone;
    wait_queue called;
};

shared_owned_lock::~shared_owned_lock() {
    COIR_ASSERT(line_.next == &line_, "a shared mutex is destroyed while somebody waits for it");
}

// With the word locked: lets in whoever is first in line, and so on for as long as they fit.
void shared_owned_lock::admit() noexcept {
    value now = state_.get() & ~in_line;
    while (line_.next != &line_) {
        turn& first = static_cast<turn&>(*line_.next);
        if ((now & exclusive) != 0 || (first.alone && now != 0)) {
            break;
        }
        const caller who = first.who;
        const bool alone = first.alone;
        first.unlink();
        if (!first.called.unpark_one()) {
            continue;  // it has timed out
        }
        // It stays where it is, in wait(), until the word is unlocked.
        now = alone ? owned_by(who) : now + one_share;
        if (alone) {
            origin_.owned_from(who.run);
        }
    }
    state_.set(now | (line_.next != &line_ ? in_line : 0));
}

bool shared_owned_lock::wait(turn& mine, deadline until, const char* type) {
    std::unique_lock guard(state_);
    const value found = state_.get();
    if (owner(found) == owned_by(mine.who)) {
        guard.unlock();
        throw_holds_it_already(type);
    }
    const bool fits = mine.alone ? owner(found) == 0 : (found & exclusive) == 0;
    if (fits && line_.next == &line_) {
        state_.set(mine.alone ? owned_by(mine.who) : owner(found) + one_share);
        origin_.owned_from(mine.alone ? mine.who.run : nullptr);
        return true;
    }
    const bool from_outside = origin_.join(mine.who.run, (found & in_line) == 0);
    mine.link_before(line_);
    state_.set(found | in_line);
    if (mine.called.park(guard, until, label_for(found, from_outside), cancellable::no) ==
        wait_status::notified) {
        return true;
    }
    if (mine.linked()) {
        mine.unlink();
        admit();  // who could not go past us may fit
    }
    return false;
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
    do {
        if (state_.change(0, owned_by(self), std::memory_order_acquire)) {
            origin_.owned_from(self.run);
            return true;
        }
    } while (owner(state_.peek(std::memory_order_relaxed)) == 0);  // just looked at by another one
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
    const std::lock_guard guard(state_);
    state_.set(0);
    admit();
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
        const value found = state_.get();
        if ((found & exclusive) == 0 && line_.next == &line_) {
            state_.set(owner(found) + one_share);
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
    std::unique_lock guard(state_);
    found = state_.get();
    if (!shared(found)) {
        guard.unlock();
        throw_does_not_hold_it(type);
    }
    state_.set(found - one_share);
    admit();
}

}  // namespace coir::detail
