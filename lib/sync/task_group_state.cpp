// SPDX-License-Identifier: BSL-1.0
#include "sync/task_group_state.hpp"

#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "core/fiber_control.hpp"
#include "core/scheduler.hpp"
#include "core/waiter.hpp"

#include <coir/cancellation.hpp>

#include <mutex>
#include <utility>

namespace coir::detail {

namespace {

// The tasks are fibers of this run, so nobody outside ends this wait.
constexpr wait_label the_end{"the end of a task group", -1, false};

}  // namespace

task_group_state::task_group_state(failure_goes_to failures) noexcept : failures_(failures) {
    // Below the scope that the owner is in, and in nobody's chain: what cancels the tasks does
    // not cancel the owner.
    members.attach(innermost_scope(), nullptr);
}

task_group_state::~task_group_state() {
    bool undelivered = false;
    {
        const std::lock_guard guard(lock_);
        undelivered = posted_.on_its_way();
    }
    if (undelivered) {
        home->deliver_inbox();
    }
    members.detach();
}

std::size_t task_group_state::running() const noexcept {
    const std::lock_guard guard(lock_);
    return running_;
}

void task_group_state::cancel() noexcept {
    if (home == scheduler::current()) {
        members.cancel(cancel_cause::requested);
    } else if (home != nullptr) {  // else it was made on a plain thread, and has no tasks
        const std::lock_guard guard(lock_);
        posted_.post_to(*home);
    }
}

void task_group_state::fiber_started() noexcept {
    const std::lock_guard guard(lock_);
    ++running_;
}

void task_group_state::fiber_ended(const fiber_control& ended,
                                   std::exception_ptr failure) noexcept {
    // Where failures go to the futures alone, one still comes here: that of a fiber without a
    // stack.
    if (failure && failures_ == failure_goes_to::group_and_future) {
        note(ended, std::move(failure));
    }
    // Whoever learns of the end may be on another carrier, but the group ends on this one, which we
    // do not leave before the lock is given up.
    const std::lock_guard guard(lock_);
    if (--running_ == 0) {
        all_ended_.unpark_all();
    }
}

void task_group_state::note(const fiber_control& ended, std::exception_ptr failure) noexcept {
    bool first = false;
    {
        const std::lock_guard guard(lock_);
        first = !first_failure_;
        if (first) {
            first_failure_ = failure;
        }
    }
    if (first) {
        cancel();
    } else {
        log(log_level::error, "fiber '" + ended.display_name() +
                                  "' failed in a task group that was failing already: " +
                                  describe_exception(failure));
    }
}

std::exception_ptr task_group_state::take_failure() noexcept {
    const std::lock_guard guard(lock_);
    return std::exchange(first_failure_, nullptr);
}

void task_group_state::join() {
    // Without tasks too this is a cancellation point, and with them a cancelled owner must not
    // leave before they have ended, nor hide why they did.
    bool cancelled = cancellation_pending();
    {
        std::unique_lock guard(lock_);
        while (running_ != 0 && !cancelled) {
            cancelled =
                all_ended_.park(guard, deadline::never(), the_end) == wait_status::cancelled;
        }
    }
    if (cancelled) {
        cancel_and_await();
    }
    if (const std::exception_ptr failure = take_failure()) {
        std::rethrow_exception(failure);
    }
    if (cancelled) {
        throw operation_cancelled();
    }
}

void task_group_state::end() noexcept {
    cancel_and_await();
    if (const std::exception_ptr failure = take_failure()) {
        log(log_level::error,
            "a task group was destroyed with a failure that no join() has "
            "reported: " +
                describe_exception(failure));
    }
}

void task_group_state::cancel_and_await() noexcept {
    if (running() == 0) {
        return;
    }
    cancel();
    std::unique_lock guard(lock_);
    while (running_ != 0) {
        all_ended_.park(guard, deadline::never(), the_end, cancellable::no);
    }
}

}  // namespace coir::detail
