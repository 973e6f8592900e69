// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/sync/detail/phases.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief std::barrier for fibers and threads: lets a number of them pass together, phase by phase.
///
/// Whoever arrives last in a phase calls the completion function, which others see the effects of,
/// and lets everybody pass.
///
/// @suspends `wait()` and `arrive_and_wait()`, until the phase is over. So does the last arrival
/// where the completion function waits.
/// @threadsafety Any thread. Not to be used in a signal handler.
/// @errors std::invalid_argument for a number of participants that is negative, or an arrival of
/// none; std::system_error (value_too_large) for more arrivals than the phase still expects, which
/// are not counted then. The messages name the numbers.
/// @cancellation Both waits are cancellation points, also if the phase is over. An
/// arrive_and_wait() that is cancelled before it has arrived does not arrive; after that its
/// arrival stands, the phase ends for the others, and the next one expects it again: whoever is
/// cancelled and does not come back calls arrive_and_drop().
/// @order All pass at once; fibers of one carrier run in the order in which they came.
/// @lifetime Who has passed may destroy the barrier, though the last arrival has not returned yet.
/// Destroying it under a wait is an error (asserted).
/// @example `test/unit/sync/barrier.cpp`
template <class CompletionFunction = detail::no_completion>
class barrier {
    static_assert(std::is_nothrow_invocable_v<CompletionFunction&>,
                  "a barrier's completion function is noexcept, as in std");

public:
    /// @brief Stands for an arrival, and so for the phase that wait() waits for.
    using arrival_token = detail::arrival_token;

    /// @returns how many participants there may be.
    static constexpr std::ptrdiff_t max() noexcept {
        return std::numeric_limits<std::ptrdiff_t>::max();
    }

    /// Makes a barrier for `expected` participants. The function is called with no lock held, by
    /// the last to arrive; what may wait in it wants a shield(), as it must not throw.
    /// @throws std::invalid_argument if `expected` is negative.
    explicit barrier(std::ptrdiff_t expected, CompletionFunction completion = CompletionFunction())
        : phases_(expected), completion_(std::move(completion)) {}
    barrier(const barrier&) = delete;
    barrier& operator=(const barrier&) = delete;
    ~barrier() = default;

    /// Arrives, `count` times, and does not wait. @returns what to wait with.
    /// @throws std::system_error value_too_large if more than are missing arrive;
    /// std::invalid_argument if less than one does.
    [[nodiscard]] arrival_token arrive(std::ptrdiff_t count = 1) {
        return arrival_token(end_if_last(phases_.arrive(count)));
    }

    /// Waits until the phase of an arrival is over.
    /// @throws operation_cancelled
    void wait(arrival_token&& arrival) { phases_.wait_for_end_of(arrival.phase()); }

    /// Arrives, and waits until the phase is over.
    /// @throws operation_cancelled; std::system_error as arrive().
    void arrive_and_wait() {
        phases_.cancellation_point();
        wait(arrive());
    }

    /// Arrives for the last time: the phases to come expect one less. Does not wait.
    /// @throws std::system_error as arrive().
    void arrive_and_drop() { end_if_last(phases_.arrive_and_drop()); }

private:
    std::uint64_t end_if_last(detail::phases::arrival arrival) {
        if (arrival.last) {
            completion_();
            phases_.end_phase();
        }
        return arrival.phase;
    }

    detail::phases phases_;
    CompletionFunction completion_;
};

}  // namespace coir
