// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/group_state.hpp"

#include <coir/wait_queue.hpp>

#include <cstddef>

namespace coir::detail {

// The fibers of a server's connections. A task_group would cancel all of them when one fails, and
// fails with the first one that finds no stack: here they are strangers to each other, and whatever
// was to be said of a failure has been said.
class connection_group final : public group_state {
public:
    connection_group() noexcept;
    connection_group(const connection_group&) = delete;
    connection_group& operator=(const connection_group&) = delete;
    ~connection_group() override;  // cancels and awaits what still runs

    void fiber_started() noexcept override { ++running_; }
    void fiber_ended(const fiber_control&, std::exception_ptr) noexcept override;

    // Waits until a connection may be added; 0 is no limit. Throws operation_cancelled.
    void wait_until_fewer_than(std::size_t limit);

    // Waits until all have ended. Throws operation_cancelled; the destructor still awaits them
    // then.
    void join() { wait_until_fewer_than(1); }

private:
    std::size_t running_ = 0;
    wait_queue one_ended_;  // one waits here: serve()
};

}  // namespace coir::detail
