// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/group_state.hpp"
#include "core/posted_cancel.hpp"

#include <coir/detail/spin_lock.hpp>
#include <coir/detail/task.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>
#include <exception>

namespace coir::detail {

// The tasks that are awaited together: behind task_group, and behind race and as_completed, where
// a task that fails does not stop the others.
//
// Thread safety: made and destroyed on one carrier; everything else on any carrier of its run.
class task_group_state final : public group_state {
public:
    explicit task_group_state(
        failure_goes_to failures = failure_goes_to::group_and_future) noexcept;
    ~task_group_state() override;

    void fiber_started() noexcept override;
    void fiber_ended(const fiber_control& ended, std::exception_ptr failure) noexcept override;

    void join();
    void end() noexcept;  // cancels, awaits, and logs a failure that no join() has reported
    void cancel() noexcept;

    std::size_t running() const noexcept;

private:
    void cancel_and_await() noexcept;
    void note(const fiber_control& ended, std::exception_ptr failure) noexcept;
    std::exception_ptr take_failure() noexcept;

    const failure_goes_to failures_;
    mutable spin_lock lock_;  // guards what follows
    posted_cancel posted_{members, lock_};
    std::size_t running_ = 0;
    std::exception_ptr first_failure_;
    wait_queue all_ended_;
};

}  // namespace coir::detail
