// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/detail/saturating_nanoseconds.hpp>

#include <time.h>
#include <algorithm>
#include <chrono>

namespace coir::hook::detail {

// Until when a call of libc's may wait: an instant of a clock of its own, or for ever.
class time_limit {
public:
    // For ever.
    constexpr time_limit() noexcept = default;
    time_limit(clockid_t clock, const timespec& instant) noexcept
        : clock_(clock), instant_(instant), ends_(true) {}

    // What libc refuses, with EINVAL.
    bool is_valid() const noexcept {
        return !ends_ || ((clock_ == CLOCK_REALTIME || clock_ == CLOCK_MONOTONIC) &&
                          instant_.tv_nsec >= 0 && instant_.tv_nsec < 1'000'000'000);
    }

    bool is_never() const noexcept { return !ends_; }

    bool has_passed() const noexcept { return ends_ && left() <= std::chrono::nanoseconds::zero(); }

    // When to look at has_passed() again. The system clock may be set, and the wait goes by it.
    deadline next_look() const noexcept {
        if (!ends_) {
            return deadline::never();
        }
        constexpr std::chrono::nanoseconds longest = std::chrono::seconds(1);
        return deadline::after(clock_ == CLOCK_REALTIME ? std::min(left(), longest) : left());
    }

private:
    static std::chrono::nanoseconds since_epoch(const timespec& t) noexcept {
        return std::chrono::nanoseconds(coir::detail::saturating_add(
            coir::detail::saturating_nanoseconds(std::chrono::seconds(t.tv_sec)), t.tv_nsec));
    }

    std::chrono::nanoseconds left() const noexcept {
        timespec now{};
        ::clock_gettime(clock_, &now);
        return std::chrono::nanoseconds(
            coir::detail::saturating_add(since_epoch(instant_).count(), -since_epoch(now).count()));
    }

    clockid_t clock_ = CLOCK_MONOTONIC;
    timespec instant_{};
    bool ends_ = false;
};

// The instant on a clock that lies so far ahead.
inline timespec instant_after(clockid_t clock, std::chrono::nanoseconds d) noexcept {
    timespec t{};
    ::clock_gettime(clock, &t);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(d);
    t.tv_sec += static_cast<time_t>(seconds.count());
    t.tv_nsec += static_cast<long>((d - seconds).count());
    if (t.tv_nsec >= 1'000'000'000) {
        t.tv_nsec -= 1'000'000'000;
        ++t.tv_sec;
    }
    return t;
}

}  // namespace coir::hook::detail
