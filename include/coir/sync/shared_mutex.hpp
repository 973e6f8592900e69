// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/shared_owned_lock.hpp>

#include <chrono>

namespace coir {

/// @brief std::shared_mutex for fibers and threads: held by one alone, or shared by many.
///
/// Use it with std::unique_lock and std::shared_lock where many read and few write; a mutex is
/// smaller, and knows every owner.
///
/// @suspends `lock()` waits while anybody holds the mutex, `lock_shared()` while one holds it
/// alone; both while others are in line and not on their way.
/// @threadsafety Any thread. Who has locked the mutex unlocks it. Of those who share it no more is
/// known than how many they are.
/// @errors std::system_error, which names the caller: resource_deadlock_would_occur for locking, in
/// either way, what one holds alone; operation_not_permitted for unlocking what one does not
/// hold alone, or what nobody shares. Locking alone what one shares waits for ever, and so may
/// sharing it twice, as in std.
/// @cancellation Locking is no cancellation point, as in POSIX.
/// @order First come, first served, both kinds in one line: those who want to share enter together
/// up to the next one who wants the mutex alone, so neither kind starves the other. As with mutex,
/// only a fiber of the same carrier is handed the mutex. Whoever else is next is woken up, and
/// until it comes others may go past it, of either kind. One who comes and finds that it does not
/// fit stays first in line, and nobody goes past it again: who shares the mutex by then leaves, and
/// nobody joins.
/// @lifetime As mutex.
/// @example `test/unit/sync/shared_mutex.cpp`
class COIR_API shared_mutex {
public:
    /// Makes a mutex that nobody holds.
    constexpr shared_mutex() noexcept = default;
    shared_mutex(const shared_mutex&) = delete;
    shared_mutex& operator=(const shared_mutex&) = delete;
    ~shared_mutex() = default;

    /// Waits until the mutex is the caller's alone.
    /// @throws std::system_error resource_deadlock_would_occur if it is that already.
    void lock();

    /// Locks the mutex alone if that is possible at once. @returns whether it did.
    bool try_lock() noexcept;

    /// Gives the mutex up, which the caller held alone.
    /// @throws std::system_error operation_not_permitted if it did not.
    void unlock();

    /// Waits until the caller shares the mutex.
    /// @throws std::system_error resource_deadlock_would_occur if the caller holds it alone.
    void lock_shared();

    /// Shares the mutex if that is possible at once. @returns whether it did.
    bool try_lock_shared() noexcept;

    /// Gives a share of the mutex up.
    /// @throws std::system_error operation_not_permitted if nobody shares it.
    void unlock_shared();

private:
    detail::shared_owned_lock lock_;
};

/// @brief std::shared_timed_mutex for fibers and threads: a shared_mutex for which one can wait
/// until a deadline.
///
/// Everything that is said of shared_mutex holds here as well.
///
/// @cancellation Locking is no cancellation point. A wait with a deadline ends at that deadline,
/// and no scope ends it sooner.
/// @order As shared_mutex. A wait that its deadline has ended did not get the mutex, nor does it
/// keep anybody from it.
class COIR_API shared_timed_mutex {
public:
    /// Makes a mutex that nobody holds.
    constexpr shared_timed_mutex() noexcept = default;
    shared_timed_mutex(const shared_timed_mutex&) = delete;
    shared_timed_mutex& operator=(const shared_timed_mutex&) = delete;
    ~shared_timed_mutex() = default;

    /// Waits until the mutex is the caller's alone.
    /// @throws std::system_error resource_deadlock_would_occur if it is that already.
    void lock();

    /// Locks the mutex alone if that is possible at once. @returns whether it did.
    bool try_lock() noexcept;

    /// Waits until the mutex is the caller's alone, until `until`, and never less. @returns whether
    /// it is.
    /// @throws std::system_error resource_deadlock_would_occur if it was already.
    bool try_lock_until(deadline until);

    /// Waits until the mutex is the caller's alone, for at most `timeout`. @returns whether it is.
    /// @throws std::system_error resource_deadlock_would_occur if it was already.
    template <class Rep, class Period>
    bool try_lock_for(std::chrono::duration<Rep, Period> timeout) {
        return try_lock_until(deadline::after(timeout));
    }

    /// Gives the mutex up, which the caller held alone.
    /// @throws std::system_error operation_not_permitted if it did not.
    void unlock();

    /// Waits until the caller shares the mutex.
    /// @throws std::system_error resource_deadlock_would_occur if the caller holds it alone.
    void lock_shared();

    /// Shares the mutex if that is possible at once. @returns whether it did.
    bool try_lock_shared() noexcept;

    /// Waits until the caller shares the mutex, until `until`, and never less. @returns whether it
    /// does.
    /// @throws std::system_error resource_deadlock_would_occur if the caller holds it alone.
    bool try_lock_shared_until(deadline until);

    /// Waits until the caller shares the mutex, for at most `timeout`. @returns whether it does.
    /// @throws std::system_error resource_deadlock_would_occur if the caller holds it alone.
    template <class Rep, class Period>
    bool try_lock_shared_for(std::chrono::duration<Rep, Period> timeout) {
        return try_lock_shared_until(deadline::after(timeout));
    }

    /// Gives a share of the mutex up.
    /// @throws std::system_error operation_not_permitted if nobody shares it.
    void unlock_shared();

private:
    detail::shared_owned_lock lock_;
};

}  // namespace coir
