// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scheduler.hpp"

#include <coir/deadline.hpp>
#include <coir/detail/function_ref.hpp>

#include <cstddef>
#include <memory>

namespace coir::detail {

// Runs the fibers of a scheduler in short stays, between which the thread belongs to a host: the
// event loop of another library. During a stay the thread is a carrier, and the host's code below
// is the main fiber; outside it is a plain thread.
//
// Between stays the inbox is asleep, so that whoever posts wakes the idle source, which has to tell
// the host. The idle source is asked to block in the destructor alone.
class scheduler::guest {
public:
    explicit guest(scheduler& fibers);  // throws as run_main() does
    guest(const guest&) = delete;
    guest& operator=(const guest&) = delete;
    ~guest();  // cancels and awaits all fibers, and blocks for that

    // Runs what is ready, until nothing is or each fiber has had several turns; never blocks. If
    // something is left to do, it wakes the idle source.
    void run_ready() noexcept;

    // Calls body as the main fiber. It spawns, and does not wait.
    void stay(function_ref body);

    // Until when the host may block.
    deadline next_deadline() const noexcept;

    std::size_t live_fibers() const noexcept;

private:
    struct parts;

    static constexpr int most_rounds = 16;

    void go_to_sleep() noexcept;

    scheduler& fibers_;
    const std::unique_ptr<parts> parts_;
};

}  // namespace coir::detail
