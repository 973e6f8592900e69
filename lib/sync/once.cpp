// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/once.hpp>

#include "core/waiter.hpp"
#include "sync/caller.hpp"
#include "sync/locked_word.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <mutex>
#include <system_error>

namespace coir {

// The value of state_: 0 (not called), done, what runs_in() gives for whoever calls, or handed_over
// to one who has waited and has not run since.
namespace {

using value = detail::locked_word::value;

constexpr value not_called = 0;
constexpr value handed_over = ~value{3};

constexpr value runs_in(const detail::caller& c) noexcept { return c.tag << 2; }

}  // namespace

bool once_flag::begin_call() {
    const detail::caller self = detail::this_caller();
    std::unique_lock guard(state_);
    const value found = state_.get();
    if (found == done) {
        return false;
    }
    if (found == not_called) {
        state_.set(runs_in(self));
        return true;
    }
    if (found == runs_in(self)) {
        guard.unlock();
        throw std::system_error(
            std::make_error_code(std::errc::resource_deadlock_would_occur),
            "coir::call_once: '" + this_fiber::name() + "' calls it again inside its own call");
    }
    const wait_label what{"a call_once that another one runs", -1, true};
    if (waiting_.park(guard, deadline::never(), what) == wait_status::cancelled) {
        guard.unlock();
        throw operation_cancelled();
    }
    if (state_.get() == done) {
        return false;
    }
    state_.set(runs_in(self));
    return true;
}

void once_flag::end_call(bool succeeded) noexcept {
    const std::lock_guard guard(state_);
    if (succeeded) {
        waiting_.unpark_all();
        state_.set(done);
    } else {
        state_.set(waiting_.unpark_one() ? handed_over : not_called);
    }
}

}  // namespace coir
