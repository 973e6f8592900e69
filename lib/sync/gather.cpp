// SPDX-License-Identifier: BSL-1.0
#include <coir/gather.hpp>

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <stdexcept>

namespace coir::detail {

void completion_group::ended(std::size_t number) noexcept {
    ended_.push_back(number);
    changed_.unpark_one();
}

std::size_t completion_group::next() {
    this_fiber::check_cancelled();
    while (ended_.empty()) {
        if (changed_.park(deadline::never(), {"the next of several tasks to end"}) ==
            wait_status::cancelled) {
            throw operation_cancelled();
        }
    }
    const std::size_t number = ended_.front();
    ended_.pop_front();
    ++taken_;
    return number;
}

std::size_t completion_group::decide() {
    if (entered_ == 0) {
        throw std::invalid_argument("coir::race: there is nothing to race");
    }
    const std::size_t winner = next();
    group_.cancel();
    shield([&] { group_.join(); });
    return winner;
}

}  // namespace coir::detail
