// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/sync/detail/permits.hpp>

#include <chrono>
#include <cstddef>
#include <limits>

namespace coir {

/// @brief std::counting_semaphore for fibers and threads: a number of permits that are acquired and
/// released.
///
/// It bounds how many do something at once. Whoever has a permit need not be who releases it.
///
/// @suspends `acquire()`, `try_acquire_for()` and `try_acquire_until()` wait while there is no
/// permit.
/// @threadsafety Any thread. Not to be used in a signal handler.
/// @errors std::invalid_argument for a number of permits that is negative or over the maximum at
/// the start; std::system_error (value_too_large) for a release beyond the maximum, which then
/// releases nothing. The messages name the limit.
/// @cancellation Every acquisition that may wait is a cancellation point, whether or not there is a
/// permit; `try_acquire()` is none. A cancelled acquisition has taken no permit.
/// @order First come, first served: among the fibers of one carrier a released permit goes to
/// whoever has waited longest, and nobody can take it on its way. If that is a thread or a fiber of
/// another carrier it is woken up, which may well take longer than a permit is kept; until it comes
/// the permit is there for whoever asks. One who comes and finds none stays first in line, and the
/// next permit is its own.
/// @lifetime It may be destroyed as soon as nobody uses it, though the release() that somebody was
/// woken by has not returned yet. Destroying it with somebody in line is an error (asserted).
/// @example `test/unit/sync/semaphore.cpp`
template <std::ptrdiff_t LeastMaxValue = std::numeric_limits<std::ptrdiff_t>::max()>
class counting_semaphore {
    static_assert(LeastMaxValue >= 0, "a semaphore's maximum is not negative");

public:
    /// @returns how many permits there may be: LeastMaxValue.
    static constexpr std::ptrdiff_t max() noexcept { return LeastMaxValue; }

    /// Makes a semaphore with `available` permits.
    /// @throws std::invalid_argument unless that is from 0 to max().
    explicit counting_semaphore(std::ptrdiff_t available) : permits_(available, max()) {}
    counting_semaphore(const counting_semaphore&) = delete;
    counting_semaphore& operator=(const counting_semaphore&) = delete;
    ~counting_semaphore() = default;

    /// Waits for a permit and takes it.
    /// @throws operation_cancelled
    void acquire() { permits_.acquire(deadline::never()); }

    /// Takes a permit if there is one. @returns whether there was; never false for another reason.
    bool try_acquire() noexcept { return permits_.try_acquire(); }

    /// Waits for a permit until `until`, and never less. @returns whether it was taken.
    /// @throws operation_cancelled
    bool try_acquire_until(deadline until) { return permits_.acquire(until); }

    /// Waits for a permit for at most `timeout`. @returns whether it was taken.
    /// @throws operation_cancelled
    template <class Rep, class Period>
    bool try_acquire_for(std::chrono::duration<Rep, Period> timeout) {
        return permits_.acquire(deadline::after(timeout));
    }

    /// Gives `count` permits to those who wait, and keeps the rest.
    /// @throws std::system_error value_too_large if there could then be more than max();
    /// std::invalid_argument if `count` is negative.
    void release(std::ptrdiff_t count = 1) { permits_.release(count, max()); }

private:
    detail::permits permits_;
};

/// A semaphore of one permit at most.
using binary_semaphore = counting_semaphore<1>;

}  // namespace coir
