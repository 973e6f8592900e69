// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

namespace coir {
namespace detail {

/// @brief Adds two counts of nanoseconds; a sum out of range becomes the nearest count.
constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) noexcept {
    using limits = std::numeric_limits<std::int64_t>;
    if (b > 0 && a > limits::max() - b) {
        return limits::max();
    }
    if (b < 0 && a < limits::min() - b) {
        return limits::min();
    }
    return a + b;
}

/// @brief Converts any duration to nanoseconds: rounds up, and saturates out of range. NaN becomes
/// the least count.
template <class Rep, class Period>
constexpr std::int64_t saturating_nanoseconds(std::chrono::duration<Rep, Period> d) {
    using limits = std::numeric_limits<std::int64_t>;
    using scale = std::ratio_divide<Period, std::nano>;
    if constexpr (std::chrono::treat_as_floating_point<Rep>::value) {
        using real = std::common_type_t<Rep, double>;
        const real count = static_cast<real>(d.count()) * static_cast<real>(scale::num) /
                           static_cast<real>(scale::den);
        // 2^63 is a double and the greatest int64_t is not. The first test is written so that NaN
        // fails it.
        constexpr real two_to_63 = static_cast<real>(9223372036854775808.0);
        if (!(count > -two_to_63)) {
            return limits::min();
        }
        return count >= two_to_63 ? limits::max() : static_cast<std::int64_t>(std::ceil(count));
    } else {
        if constexpr (std::is_unsigned<Rep>::value && sizeof(Rep) >= sizeof(std::int64_t)) {
            if (d.count() > static_cast<Rep>(limits::max())) {
                return limits::max();
            }
        }
        // count * num / den, in two parts that can't overflow where the result doesn't.
        static_assert(scale::num <= limits::max() / scale::den,
                      "this period has no exact count of nanoseconds");
        const std::int64_t count = static_cast<std::int64_t>(d.count());
        const std::int64_t whole = count / scale::den;
        const std::int64_t rest = count % scale::den * scale::num;
        if (whole > limits::max() / scale::num) {
            return limits::max();
        }
        if (whole < limits::min() / scale::num) {
            return limits::min();
        }
        return saturating_add(whole * scale::num,
                              rest / scale::den + (rest % scale::den > 0 ? 1 : 0));
    }
}

}  // namespace detail
}  // namespace coir
