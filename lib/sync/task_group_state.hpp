// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/group_state.hpp"

#include <coir/detail/task.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>
#include <exception>

namespace coir::detail {

// The tasks that are awaited together: behind task_group, and behind race and as_completed, where
// a task that fails does not stop the others.
class task_group_state final : public group_state {
public:
    explicit task_group_state(
        failure_goes_to failures = failure_goes_to::group_and_future) noexcept;
    ~task_group_state() override { members.detach(); }

    void fiber_started() noexcept override { ++running_; }
    void fiber_ended(const fiber_control& ended, std::exception_ptr failure) noexcept override;

    void join();
    void end() noexcept;  // cancels, awaits, and logs a failure that no join() has reported
    void cancel() noexcept { members.cancel(cancel_cause::requested); }

    std::size_t running() const noexcept { return running_; }

private:
    void cancel_and_await() noexcept;
    void note(const fiber_control& ended, std::exception_ptr failure) noexcept;

    const failure_goes_to failures_;
    std::size_t running_ = 0;
    std::exception_ptr first_failure_;
    wait_queue all_ended_;
};

}  // namespace coir::detail
