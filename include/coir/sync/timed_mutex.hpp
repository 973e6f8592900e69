// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/owned_lock.hpp>

#include <chrono>

namespace coir {

/// @brief std::timed_mutex for fibers and threads: a mutex for which one can wait until a deadline.
///
/// Everything that mutex.hpp says holds here as well.
///
/// @suspends `lock()`, `try_lock_for()` and `try_lock_until()` wait while somebody else holds the
/// mutex.
/// @threadsafety Any thread. Who has locked a mutex unlocks it: that fiber, or that thread.
/// @errors As mutex: resource_deadlock_would_occur, operation_not_permitted.
/// @cancellation Locking is no cancellation point. A wait with a deadline ends at that deadline,
/// and no scope ends it sooner.
/// @order As mutex. A wait that its deadline has ended did not get the mutex, nor
/// keep it from the next in line.
/// @lifetime As mutex.
/// @example `test/unit/sync/timed_mutex.cpp`
class COIR_API timed_mutex {
public:
    /// Makes a mutex that nobody holds.
    constexpr timed_mutex() noexcept = default;
    timed_mutex(const timed_mutex&) = delete;
    timed_mutex& operator=(const timed_mutex&) = delete;
    ~timed_mutex() = default;

    /// Waits until the mutex is the caller's.
    /// @throws std::system_error resource_deadlock_would_occur if it is that already.
    void lock();

    /// Locks the mutex if that is possible at once. @returns whether it did.
    bool try_lock() noexcept;

    /// Waits for the mutex until `until`, and never less. A deadline that has passed is no
    /// hindrance if the mutex is free. @returns whether the mutex is the caller's.
    /// @throws std::system_error resource_deadlock_would_occur if it was that already.
    bool try_lock_until(deadline until);

    /// Waits for the mutex for at most `timeout`. @returns whether the mutex is the caller's.
    /// @throws std::system_error resource_deadlock_would_occur if it was that already.
    template <class Rep, class Period>
    bool try_lock_for(std::chrono::duration<Rep, Period> timeout) {
        return try_lock_until(deadline::after(timeout));
    }

    /// Gives the mutex up; whoever has waited longest has it then.
    /// @throws std::system_error operation_not_permitted if the caller does not hold it.
    void unlock();

private:
    detail::owned_lock lock_;
};

}  // namespace coir
