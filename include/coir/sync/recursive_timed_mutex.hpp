// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/recursive_lock.hpp>

#include <chrono>

namespace coir {

/// @brief std::recursive_timed_mutex for fibers and threads: a recursive_mutex for which one can
/// wait until a deadline.
///
/// Everything that recursive_mutex.hpp says holds here as well.
///
/// @suspends `lock()`, `try_lock_for()` and `try_lock_until()` wait while somebody else holds the
/// mutex.
/// @threadsafety Any thread. Who has locked a mutex unlocks it: that fiber, or that thread.
/// @errors As recursive_mutex: operation_not_permitted, resource_unavailable_try_again.
/// @cancellation Locking is no cancellation point. A wait with a deadline ends at that deadline,
/// and no scope ends it sooner.
/// @order As mutex. A wait that its deadline has ended did not get the mutex, nor
/// keep it from the next in line.
/// @lifetime As mutex.
/// @example `test/unit/sync/recursive_timed_mutex.cpp`
class COIR_API recursive_timed_mutex {
public:
    /// Makes a mutex that nobody holds.
    constexpr recursive_timed_mutex() noexcept = default;
    recursive_timed_mutex(const recursive_timed_mutex&) = delete;
    recursive_timed_mutex& operator=(const recursive_timed_mutex&) = delete;
    ~recursive_timed_mutex() = default;

    /// Waits until the mutex is the caller's, or locks it once more.
    /// @throws std::system_error resource_unavailable_try_again if it cannot be counted.
    void lock();

    /// Locks the mutex if that is possible at once. @returns whether it did.
    bool try_lock() noexcept;

    /// Waits for the mutex until `until`, and never less. @returns whether the mutex is the
    /// caller's, once more if it was already.
    /// @throws std::system_error resource_unavailable_try_again if it cannot be counted.
    bool try_lock_until(deadline until);

    /// Waits for the mutex for at most `timeout`. @returns whether the mutex is the caller's.
    /// @throws std::system_error resource_unavailable_try_again if it cannot be counted.
    template <class Rep, class Period>
    bool try_lock_for(std::chrono::duration<Rep, Period> timeout) {
        return try_lock_until(deadline::after(timeout));
    }

    /// Takes one lock back; with the last one whoever has waited longest has the mutex.
    /// @throws std::system_error operation_not_permitted if the caller does not hold it.
    void unlock();

private:
    detail::recursive_lock lock_;
};

}  // namespace coir
