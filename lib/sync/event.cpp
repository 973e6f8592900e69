// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/event.hpp>

#include "core/waiter.hpp"
#include "sync/locked_word.hpp"

#include <coir/cancellation.hpp>

#include <mutex>

namespace coir {

namespace {

using value = detail::locked_word::value;

constexpr value lowered = 0;
constexpr value raised = 2;

}  // namespace

void event::set() noexcept {
    const std::lock_guard guard(state_);
    if (mode_ == reset_mode::manual) {
        waiting_.unpark_all();
        state_.set(raised);
    } else if (!waiting_.unpark_one()) {
        state_.set(raised);
    }
}

void event::reset() noexcept {
    const std::lock_guard guard(state_);
    state_.set(lowered);
}

bool event::is_set() const noexcept { return (state_.peek() & raised) != 0; }

// Passes if the event is set and nobody is busy with it. One that is seen set while somebody has
// the word locked, perhaps who sets it, must not be passed: it could be destroyed under them.
bool event::pass() noexcept {
    if (mode_ == reset_mode::manual) {
        return state_.peek() == raised;
    }
    return state_.change(raised, lowered, std::memory_order_acquire);
}

bool event::pass_locked() noexcept {
    const bool passed = state_.get() == raised;
    if (passed && mode_ == reset_mode::automatic) {
        state_.set(lowered);
    }
    return passed;
}

bool event::try_wait() noexcept {
    if (pass()) {
        return true;
    }
    {
        const std::lock_guard guard(state_);
        if (pass_locked()) {
            return true;
        }
    }
    detail::spend_budget();  // for loops around it
    return false;
}

bool event::wait_until(deadline until) {
    detail::check_cancelled();
    if (pass()) {
        detail::spend_budget();
        return true;
    }
    std::unique_lock guard(state_);
    if (pass_locked()) {
        return true;
    }
    switch (waiting_.park(guard, until, {"an event", -1, true})) {
        case wait_status::notified: return true;
        case wait_status::timed_out: return false;
        case wait_status::cancelled: break;
    }
    guard.unlock();
    throw operation_cancelled();
}

}  // namespace coir
