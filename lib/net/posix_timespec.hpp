// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/detail/saturating_nanoseconds.hpp>

#include <sys/time.h>
#include <time.h>
#include <chrono>

namespace coir::detail {

inline bool is_valid(const timespec& t) noexcept {
    return t.tv_sec >= 0 && t.tv_nsec >= 0 && t.tv_nsec < 1'000'000'000;
}

// A valid one; the longest duration if it is longer than the clock can tell.
inline std::chrono::nanoseconds to_duration(const timespec& t) noexcept {
    return std::chrono::nanoseconds(
        saturating_add(saturating_nanoseconds(std::chrono::seconds(t.tv_sec)), t.tv_nsec));
}

inline deadline deadline_after(const timespec& duration) noexcept {
    return deadline::after(to_duration(duration));
}

// An instant of CLOCK_MONOTONIC, which is the steady clock.
inline deadline deadline_at(const timespec& instant) noexcept {
    return deadline::at(deadline::time_point(to_duration(instant)));
}

// Not negative; microseconds may be a second and more, as select(2) allows.
inline timespec to_timespec(const timeval& t) noexcept {
    return {t.tv_sec + t.tv_usec / 1'000'000, static_cast<long>(t.tv_usec % 1'000'000) * 1'000};
}

// Not negative.
inline timespec to_timespec(std::chrono::nanoseconds d) noexcept {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(d);
    return {static_cast<time_t>(seconds.count()), static_cast<long>((d - seconds).count())};
}

}  // namespace coir::detail
