// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/async.hpp>
#include <coir/deadline.hpp>
#include <coir/export.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// @file
/// @brief Waiting for several futures, as asyncio.wait does.

namespace coir {

/// @brief What wait() waits for.
enum class wait_policy : std::uint8_t {
    first_completed,  ///< any of the results
    first_exception,  ///< any exception, or all results; a task that was cancelled is no exception
    all_completed,    ///< all of the results
};

/// @brief What wait() has found: the numbers of futures, counted from 0, in their order.
struct wait_result {
    std::vector<std::size_t> done;     ///< those that are ready
    std::vector<std::size_t> pending;  ///< the others
};

namespace detail {
COIR_API void wait_for_several(const std::vector<future_state*>& states, wait_policy policy,
                               deadline until);
}  // namespace detail

/// @brief Waits for futures that stand in a range, until `policy` is satisfied or `until` has
/// passed: asyncio.wait. It takes nothing out of them, cancels nothing, and throws none of their
/// exceptions.
///
/// To take results as they come use as_completed(), which is faster for many; to wait for one of
/// several unlike things, select().
///
/// @suspends Until then.
/// @threadsafety The results may come from any thread. The futures belong to the caller meanwhile.
/// @cancellation A cancellation point, whether or not it needs to wait.
/// @param futures a range of `future<T>` or `shared_future<T>`
/// @param policy what to wait for
/// @param until when to stop waiting; that is no error
/// @returns which futures are ready, and which are not.
/// @throws std::invalid_argument if there is none, as in asyncio; std::future_error (no_state);
/// operation_cancelled
/// @example `test/unit/sync/wait.cpp`
template <class Range>
wait_result wait(const Range& futures, wait_policy policy = wait_policy::all_completed,
                 deadline until = deadline::never()) {
    std::vector<detail::future_state*> states;
    for (const auto& one : futures) {
        states.push_back(&one.state());
    }
    detail::wait_for_several(states, policy, until);
    wait_result found;
    std::size_t number = 0;
    for (const auto& one : futures) {
        (one.ready() ? found.done : found.pending).push_back(number++);
    }
    return found;
}

}  // namespace coir
