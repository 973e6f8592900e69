// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/locked_word.hpp>
#include <coir/wait_queue.hpp>

#include <chrono>
#include <cstddef>
#include <limits>

namespace coir {

/// @brief std::latch for fibers and threads: a counter that goes down to zero, once, and lets
/// everybody pass then.
///
/// @suspends `wait()`, `wait_for()`, `wait_until()` and `arrive_and_wait()`, until it is down.
/// @threadsafety Any thread. Not to be used in a signal handler.
/// @errors std::invalid_argument for a count that is negative; std::system_error (value_too_large)
/// for counting down by more than is left, which then counts nothing. The messages name the count.
/// @cancellation Every wait is a cancellation point, also if the latch is down. A call of
/// arrive_and_wait() that is cancelled before it has counted down counts nothing; later on what
/// it has counted down stays so.
/// @order All pass at once; fibers of one carrier run in the order in which they came.
/// @lifetime Who has passed may destroy the latch, though the count_down() that let them pass has
/// not returned yet. Destroying it under a wait is an error (asserted).
/// @example `test/unit/sync/latch.cpp`
class COIR_API latch {
public:
    /// @returns how much a latch can count.
    static constexpr std::ptrdiff_t max() noexcept {
        return std::numeric_limits<std::ptrdiff_t>::max();
    }

    /// Makes a latch with this count.
    /// @throws std::invalid_argument if it is negative.
    explicit latch(std::ptrdiff_t expected);
    latch(const latch&) = delete;
    latch& operator=(const latch&) = delete;
    ~latch() = default;

    /// Counts down by `count`, and does not wait.
    /// @throws std::system_error value_too_large if that is more than is left;
    /// std::invalid_argument if it is negative.
    void count_down(std::ptrdiff_t count = 1);

    /// @returns whether the latch is down; never false for another reason.
    bool try_wait() const noexcept;

    /// Waits until the latch is down.
    /// @throws operation_cancelled
    void wait() const { wait_until(deadline::never()); }

    /// Waits until the latch is down, until `until`, and never less. @returns false if the deadline
    /// came first.
    /// @throws operation_cancelled
    bool wait_until(deadline until) const;

    /// Waits until the latch is down, for at most `timeout`. @returns false if it came first.
    /// @throws operation_cancelled
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> timeout) const {
        return wait_until(deadline::after(timeout));
    }

    /// Counts down by `count`, then waits until the latch is down.
    /// @throws what count_down() throws; operation_cancelled
    void arrive_and_wait(std::ptrdiff_t count = 1);

private:
    mutable detail::locked_word left_;  // twice the count
    mutable wait_queue waiting_;
};

}  // namespace coir
