// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/saturating_nanoseconds.hpp>
#include <coir/export.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace coir {

namespace detail {

/// @brief Returns the time that it is for the calling fiber or thread: of the virtual clock in a
/// test, else steady.
COIR_API std::chrono::steady_clock::time_point now() noexcept;

}  // namespace detail

/// @brief An absolute instant on the steady clock until which something may wait.
///
/// Relative times become a deadline once, at the edge of the API, and a deadline is then handed
/// down through every layer, so that retries and nested calls never stretch a timeout. To wait for
/// a duration use deadline::after(); most functions that take a deadline take a
/// `std::chrono::time_point` as well, of any clock.
///
/// A conversion never makes a deadline early: what is finer than a nanosecond is rounded up. It
/// never overflows either: a time too far in the future for the clock (292 years) is never(), and a
/// time too far in the past has simply passed.
///
/// @threadsafety A value type like an `int`: distinct objects may be used from any threads.
/// @errors None; no operation fails, and none throws unless the arithmetic of a user-defined
/// duration or clock does.
class deadline {
public:
    /// @brief The clock that all waiting of coir is measured on.
    using clock = std::chrono::steady_clock;
    /// @brief An instant of that clock.
    using time_point = clock::time_point;
    /// @brief A duration of that clock.
    using duration = clock::duration;

    /// @brief Constructs never().
    constexpr deadline() noexcept = default;

    /// @brief Constructs at(t): implicit, so that a function that takes a deadline takes the
    /// instants of std as well.
    template <class Clock, class Duration>
    deadline(const std::chrono::time_point<Clock, Duration>& t) : deadline(at(t)) {}

    /// @brief Returns the deadline at an instant.
    ///
    /// An instant of another clock than the steady one is converted at once, by what is left until
    /// then now; if that clock is set afterwards, the deadline doesn't follow.
    template <class Clock, class Duration>
    static deadline at(const std::chrono::time_point<Clock, Duration>& t) {
        const std::int64_t instant = detail::saturating_nanoseconds(t.time_since_epoch());
        if constexpr (std::is_same<Clock, clock>::value) {
            return deadline(instant);
        } else if (instant == never_count || instant == passed_count) {
            return deadline(instant);
        } else {
            const std::int64_t other_now =
                detail::saturating_nanoseconds(Clock::now().time_since_epoch());
            return after_nanoseconds(detail::saturating_add(instant, -other_now));
        }
    }

    /// @brief Returns the deadline that lies a duration after now; of zero or less it has passed
    /// already.
    ///
    /// A floating-point infinity or a duration such as `std::chrono::hours::max()` gives never().
    /// NaN gives immediately(): it is a mistake, and one that shows at once is better than one that
    /// hangs.
    template <class Rep, class Period>
    static deadline after(std::chrono::duration<Rep, Period> d) {
        return after_nanoseconds(detail::saturating_nanoseconds(d));
    }

    /// @brief Returns the deadline that doesn't come.
    static constexpr deadline never() noexcept { return deadline(never_count); }

    /// @brief Returns a deadline that has passed, on every clock: what need not wait is done, and
    /// nothing else.
    static constexpr deadline immediately() noexcept { return deadline(passed_count); }

    /// @brief Tells whether this is never().
    constexpr bool is_never() const noexcept { return count_ == never_count; }

    /// @brief Returns the instant; `time_point::max()` for never().
    constexpr time_point time() const noexcept {
        return time_point(std::chrono::nanoseconds(count_));
    }

    /// @brief Tells whether now is the deadline or after it.
    bool has_passed() const noexcept {
        return count_ == passed_count || (count_ != never_count && detail::now() >= time());
    }

    /// @brief Returns what is left: zero once it has passed, `duration::max()` for never().
    duration remaining() const noexcept {
        if (is_never()) {
            return duration::max();
        }
        const time_point current = detail::now();
        return time() > current ? time() - current : duration::zero();
    }

    /// @brief Compares the instants; never() is later than all others.
    friend constexpr bool operator==(deadline a, deadline b) noexcept {
        return a.count_ == b.count_;
    }
    /// @brief Compares the instants.
    friend constexpr bool operator!=(deadline a, deadline b) noexcept {
        return a.count_ != b.count_;
    }
    /// @brief Tells whether a comes before b.
    friend constexpr bool operator<(deadline a, deadline b) noexcept { return a.count_ < b.count_; }
    /// @brief Tells whether a comes before b or is the same.
    friend constexpr bool operator<=(deadline a, deadline b) noexcept {
        return a.count_ <= b.count_;
    }
    /// @brief Tells whether a comes after b.
    friend constexpr bool operator>(deadline a, deadline b) noexcept { return a.count_ > b.count_; }
    /// @brief Tells whether a comes after b or is the same.
    friend constexpr bool operator>=(deadline a, deadline b) noexcept {
        return a.count_ >= b.count_;
    }

private:
    static_assert(std::is_same<duration, std::chrono::nanoseconds>::value,
                  "the steady clock counts nanoseconds");

    static constexpr std::int64_t never_count = std::numeric_limits<std::int64_t>::max();
    static constexpr std::int64_t passed_count = std::numeric_limits<std::int64_t>::min();

    explicit constexpr deadline(std::int64_t count) noexcept : count_(count) {}

    // Reads the clock only if the answer depends on it.
    static deadline after_nanoseconds(std::int64_t d) noexcept {
        if (d <= 0) {
            return immediately();
        }
        if (d == never_count) {
            return never();
        }
        return deadline(detail::saturating_add(detail::now().time_since_epoch().count(), d));
    }

    std::int64_t count_ = never_count;  // nanoseconds since the epoch of the steady clock
};

}  // namespace coir
