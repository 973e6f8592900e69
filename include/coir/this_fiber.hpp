// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/fiber.hpp>

#include <chrono>
#include <string>

/// @brief Calls about the fiber that makes them; std::this_thread for fibers. On a plain thread
/// they mean the thread.
namespace coir::this_fiber {

/// Lets every fiber that is ready run before this one goes on.
/// @throws operation_cancelled if a scope around the caller is cancelled.
COIR_API void yield();

/// Waits until `until`, and never less. Other fibers run meanwhile; a plain thread blocks.
/// @throws operation_cancelled
COIR_API void sleep_until(deadline until);

/// Waits for at least `duration`. Zero or less returns at once; a duration too long for the clock
/// waits until it is cancelled.
/// @throws operation_cancelled
template <class Rep, class Period>
void sleep_for(std::chrono::duration<Rep, Period> duration) {
    sleep_until(deadline::after(duration));
}

/// @returns this fiber's id; on a plain thread, the id of no fiber.
COIR_API fiber::id get_id() noexcept;

/// @returns this fiber's name: the one given to it, or "fiber N", or "thread" on a plain thread.
COIR_API std::string name();

/// A cancellation point that does nothing else: for long computations.
/// @throws operation_cancelled if a scope around the caller is cancelled.
COIR_API void check_cancelled();

}  // namespace coir::this_fiber
