// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/detail/owned_lock.hpp>

#include "core/waiter.hpp"
#include "sync/caller.hpp"
#include "sync/locked_word.hpp"
#include "sync/misuse.hpp"

#include <mutex>

namespace coir::detail {

// The value of state_:
//
//   0              nobody owns the lock, and nobody is in line (but such as have timed out)
//   tag            somebody owns it
//   tag | in_line  somebody owns it, and others may be in line: unlock() has to look
//   handed_over    taken out of the line, and given the lock, but has not run since
//
//   0 -> tag                        lock, try_lock
//   tag -> 0                        unlock
//   tag -> tag | in_line            somebody joins the line
//   tag | in_line -> handed_over    unlock finds somebody in line
//   tag | in_line -> 0              unlock finds nobody
//   handed_over -> tag (| in_line)  the new owner runs
//
// The first two are one compare-and-exchange; the others are made with the word locked. The lock is
// never free while somebody waits for it: first come, first served, and nobody can barge in.
namespace {

using value = locked_word::value;

constexpr value in_line = 2;
constexpr value flags = in_line | 1;
constexpr value handed_over = ~flags | in_line;

constexpr value owned_by(const caller& c) noexcept { return c.tag << 2; }

wait_label label_for(value state, bool from_outside) noexcept {
    if ((state | in_line) == handed_over) {
        return {"a mutex", -1, from_outside};
    }
    const long fiber = fiber_of(state >> 2);
    return {fiber >= 0 ? "a mutex held by fiber" : "a mutex held by a thread", fiber, from_outside};
}

}  // namespace

bool owned_lock::held_by_caller() const noexcept {
    // Relaxed: only the caller itself writes its own tag.
    return (state_.peek(std::memory_order_relaxed) & ~flags) == owned_by(this_caller());
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
    value now = 0;
    do {
        if (state_.change(0, owned_by(self), std::memory_order_acquire)) {
            origin_.owned_from(self.run);
            return true;
        }
        now = state_.peek(std::memory_order_relaxed);
    } while ((now & ~value{1}) == 0);  // free, but just looked at by another one
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

bool owned_lock::wait(const caller& self, deadline until, const char* type) {
    std::unique_lock guard(state_);
    const value found = state_.get();
    if (found == 0) {
        state_.set(owned_by(self));
        origin_.owned_from(self.run);
        return true;
    }
    if ((found & ~flags) == owned_by(self)) {
        guard.unlock();
        throw_holds_it_already(type);
    }
    const bool first = (found & in_line) == 0;
    const bool from_outside = origin_.join(self.run, first);
    state_.set(found | in_line);
    const wait_status status =
        waiting_.park(guard, until, label_for(found, from_outside), cancellable::no);
    if (status == wait_status::notified) {
        state_.set(owned_by(self) | (waiting_.empty() ? 0 : in_line));
        origin_.owned_from(self.run);
        return true;
    }
    return false;
}

void owned_lock::unlock(const char* type) {
    const value mine = owned_by(this_caller());
    const value found = state_.peek(std::memory_order_relaxed);
    if ((found & ~flags) != mine) {
        throw_does_not_hold_it(type);
    }
    origin_.owned_from(nullptr);
    if (found == mine && state_.change(mine, 0, std::memory_order_release)) {
        return;  // the lock may be gone now
    }
    const std::lock_guard guard(state_);
    state_.set(waiting_.unpark_one() ? handed_over : 0);
}

}  // namespace coir::detail
