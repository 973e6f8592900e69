// SPDX-License-Identifier: BSL-1.0
#include "sync/task_group_state.hpp"

#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "core/fiber_control.hpp"
#include "core/waiter.hpp"

#include <coir/cancellation.hpp>

#include <utility>

namespace coir::detail {

task_group_state::task_group_state(failure_goes_to failures) noexcept : failures_(failures) {
    // Below the scope that the owner is in, and in nobody's chain: what cancels the tasks does
    // not cancel the owner.
    members.attach(innermost_scope(), nullptr);
}

void task_group_state::fiber_ended(const fiber_control& ended,
                                   std::exception_ptr failure) noexcept {
    // Where failures go to the futures alone, one still comes here: that of a fiber without a
    // stack.
    if (failure && failures_ == failure_goes_to::group_and_future) {
        note(ended, std::move(failure));
    }
    if (--running_ == 0) {
        all_ended_.unpark_all();
    }
}

void task_group_state::note(const fiber_control& ended, std::exception_ptr failure) noexcept {
    if (first_failure_) {
        log(log_level::error, "fiber '" + ended.display_name() +
                                  "' failed in a task group that was failing already: " +
                                  describe_exception(failure));
        return;
    }
    first_failure_ = std::move(failure);
    cancel();
}

void task_group_state::join() {
    // Without tasks too this is a cancellation point, and with them a cancelled owner must not
    // leave before they have ended, nor hide why they did.
    bool cancelled = cancellation_pending();
    while (running_ != 0 && !cancelled) {
        cancelled = all_ended_.park(deadline::never(), {"the end of a task group"}) ==
                    wait_status::cancelled;
    }
    if (cancelled) {
        cancel_and_await();
    }
    if (first_failure_) {
        std::rethrow_exception(std::exchange(first_failure_, nullptr));
    }
    if (cancelled) {
        throw operation_cancelled();
    }
}

void task_group_state::end() noexcept {
    cancel_and_await();
    if (first_failure_) {
        log(log_level::error,
            "a task group was destroyed with a failure that no join() has "
            "reported: " +
                describe_exception(first_failure_));
    }
}

void task_group_state::cancel_and_await() noexcept {
    if (running_ == 0) {
        return;
    }
    cancel();
    while (running_ != 0) {
        all_ended_.park(deadline::never(), {"the end of a task group"}, cancellable::no);
    }
}

}  // namespace coir::detail
