// SPDX-License-Identifier: BSL-1.0
#include <coir/gather.hpp>

#include "sync/task_group_state.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <stdexcept>

namespace coir::detail {

completion_group::completion_group()
    : tasks_(std::make_unique<task_group_state>(failure_goes_to::future)) {}

completion_group::~completion_group() { tasks_->end(); }

void completion_group::ended(std::size_t number) noexcept {
    ended_[ended_count_++] = number;
    changed_.unpark_one();
}

std::size_t completion_group::next() {
    this_fiber::check_cancelled();
    while (taken_ == ended_count_) {
        if (changed_.park(deadline::never(), {"the next of several tasks to end"}) ==
            wait_status::cancelled) {
            throw operation_cancelled();
        }
    }
    return ended_[taken_++];
}

std::size_t completion_group::decide() {
    if (ended_.empty()) {
        throw std::invalid_argument("coir::race: there is nothing to race");
    }
    const std::size_t winner = next();
    tasks_->cancel();
    shield([&] { tasks_->join(); });
    return winner;
}

}  // namespace coir::detail
