// SPDX-License-Identifier: BSL-1.0
#include <coir/gather.hpp>

#include "sync/task_group_state.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <mutex>
#include <stdexcept>

namespace coir::detail {

completion_group::completion_group()
    : tasks_(std::make_unique<task_group_state>(failure_goes_to::future)) {}

completion_group::~completion_group() { tasks_->end(); }

// Room is made before there is a task to end: ended() must not fail.
std::size_t completion_group::make_room() {
    const std::lock_guard guard(mutex_);
    ended_.push_back(0);
    return entered_++;
}

// The owner may destroy the group only when the tasks are over, which they are not while one is in
// here.
void completion_group::ended(std::size_t number) noexcept {
    const std::lock_guard guard(mutex_);
    ended_[ended_count_++] = number;
    changed_.unpark_one();
}

std::size_t completion_group::next() {
    this_fiber::check_cancelled();
    std::unique_lock guard(mutex_);
    while (taken_ == ended_count_) {
        if (changed_.park(guard, deadline::never(), {"the next of several tasks to end"}) ==
            wait_status::cancelled) {
            guard.unlock();
            throw operation_cancelled();
        }
    }
    return ended_[taken_++];
}

std::size_t completion_group::decide() {
    if (entered_ == 0) {
        throw std::invalid_argument("coir::race: there is nothing to race");
    }
    const std::size_t winner = next();
    tasks_->cancel();
    shield([&] { tasks_->join(); });
    return winner;
}

}  // namespace coir::detail
