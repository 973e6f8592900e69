// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "time/clock.hpp"

#include <coir/deadline.hpp>

#include <chrono>
#include <climits>
#include <ctime>

namespace coir::detail {

// A deadline as the relative timeout of a readiness call, rounded up so that nobody wakes early.
class poll_timeout {
public:
    explicit poll_timeout(deadline until) noexcept
        : never_(until.is_never()),
          left_(until == deadline::immediately() ? deadline::duration::zero() : until.remaining()) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left_);
        timespec_ = {static_cast<time_t>(seconds.count()),
                     static_cast<long>((left_ - seconds).count())};
    }

    // For ppoll and epoll_pwait2; null means for ever.
    const timespec* as_timespec() const noexcept { return never_ ? nullptr : &timespec_; }

    // For poll and epoll_wait; -1 means for ever.
    int as_milliseconds() const noexcept {
        if (never_) {
            return -1;
        }
        const auto count = std::chrono::ceil<std::chrono::milliseconds>(left_).count();
        return count < INT_MAX ? static_cast<int>(count) : INT_MAX;
    }

private:
    bool never_;
    deadline::duration left_;
    timespec timespec_{};
};

}  // namespace coir::detail
