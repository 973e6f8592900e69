// SPDX-License-Identifier: BSL-1.0
#include <coir/task_group.hpp>

#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "core/fiber_control.hpp"
#include "core/waiter.hpp"

#include <coir/cancellation.hpp>
#include <coir/wait_queue.hpp>

#include <exception>
#include <utility>

namespace coir {

namespace detail {

class task_group_state final : public group_state {
public:
    task_group_state() {
        // Below the scope that the owner is in, and in nobody's chain: what cancels the tasks does
        // not cancel the owner.
        members.attach(innermost_scope(), nullptr);
    }
    ~task_group_state() override { members.detach(); }

    void fiber_started() noexcept override { ++running_; }

    void fiber_ended(const fiber_control& ended, std::exception_ptr failure) noexcept override {
        if (failure && first_failure_) {
            log(log_level::error, "fiber '" + ended.display_name() +
                                      "' failed in a task group that was failing already: " +
                                      describe_exception(failure));
        } else if (failure) {
            first_failure_ = std::move(failure);
            members.cancel(cancel_cause::requested);
        }
        if (--running_ == 0) {
            all_ended_.unpark_all();
        }
    }

    void join() {
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

    void end() noexcept {
        cancel_and_await();
        if (first_failure_) {
            log(log_level::error, "a task group was destroyed with a failure that no join() has "
                                  "reported: " + describe_exception(first_failure_));
        }
    }

    void cancel() noexcept { members.cancel(cancel_cause::requested); }
    std::size_t running() const noexcept { return running_; }

private:
    void cancel_and_await() noexcept {
        if (running_ == 0) {
            return;
        }
        cancel();
        while (running_ != 0) {
            all_ended_.park(deadline::never(), {"the end of a task group"}, cancellable::no);
        }
    }

    std::size_t running_ = 0;
    std::exception_ptr first_failure_;
    wait_queue all_ended_;
};

group_state& as_group(task_group_state& state) noexcept { return state; }

}  // namespace detail

task_group::task_group() : state_(std::make_unique<detail::task_group_state>()) {}
task_group::~task_group() { state_->end(); }
void task_group::join() { state_->join(); }
void task_group::cancel() noexcept { state_->cancel(); }
std::size_t task_group::size() const noexcept { return state_->running(); }

}  // namespace coir
