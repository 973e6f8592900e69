// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/sync/detail/recursive_lock.hpp>

namespace coir {

/// @brief std::recursive_mutex for fibers and threads: who holds it may lock it again, and gives it
/// up by as many unlocks.
///
/// Everything that mutex.hpp says holds here as well, but for locking twice.
///
/// @suspends `lock()` waits while somebody else holds the mutex.
/// @threadsafety Any thread. Who has locked a mutex unlocks it: that fiber, or that thread. Two
/// fibers of one thread are two owners.
/// @errors std::system_error: operation_not_permitted for unlocking what one does not hold,
/// resource_unavailable_try_again beyond 2^32 - 1 locks by one owner.
/// @cancellation Locking is no cancellation point.
/// @order As mutex.
/// @lifetime As mutex.
/// @example `test/unit/sync/recursive_mutex.cpp`
class COIR_API recursive_mutex {
public:
    /// Makes a mutex that nobody holds.
    constexpr recursive_mutex() noexcept = default;
    recursive_mutex(const recursive_mutex&) = delete;
    recursive_mutex& operator=(const recursive_mutex&) = delete;
    ~recursive_mutex() = default;

    /// Waits until the mutex is the caller's, or locks it once more.
    /// @throws std::system_error resource_unavailable_try_again if it cannot be counted.
    void lock();

    /// Locks the mutex if that is possible at once. @returns whether it did.
    bool try_lock() noexcept;

    /// Takes one lock back; with the last one whoever has waited longest has the mutex.
    /// @throws std::system_error operation_not_permitted if the caller does not hold it.
    void unlock();

private:
    detail::recursive_lock lock_;
};

}  // namespace coir
