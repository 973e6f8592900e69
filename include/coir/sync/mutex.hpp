// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/sync/detail/owned_lock.hpp>

namespace coir {

/// @brief std::mutex for fibers and threads: between fibers of one carrier, fibers of several, and
/// plain threads, in every mixture.
///
/// Unlike a std::mutex it may be held by a fiber that waits for something else. Use it with
/// std::lock_guard, std::unique_lock, std::scoped_lock and std::lock. The constructor is constexpr,
/// so that a global mutex can be locked before main().
///
/// @suspends `lock()` parks the calling fiber, or blocks the calling thread, while somebody else
/// holds the mutex. A free mutex costs two atomic operations and no switch.
/// @threadsafety Any thread. Who has locked a mutex unlocks it: that fiber, or that thread.
/// @errors std::system_error, which names the caller: resource_deadlock_would_occur for locking
/// what one holds, operation_not_permitted for unlocking what one does not hold. Fibers that wait
/// for each other's mutexes are reported as a deadlock; as such waits cannot be cancelled, the
/// program ends with the report.
/// @cancellation Locking is no cancellation point, as in POSIX, so that cleanup may lock: it is
/// neither refused nor ended by a cancelled scope or its deadline.
/// @order First come, first served: among the fibers of one carrier unlock() hands the mutex to the
/// one that has waited longest, and nobody can take it from under those who wait. If that one is a
/// thread or a fiber of another carrier, it is woken up, which takes many times as long as a mutex
/// should be held. Until it comes the mutex is free, and whoever asks for it then has it. One who
/// comes and finds it taken stays first in line and is not overtaken again.
/// @lifetime It may be destroyed as soon as nobody holds it or waits for it, though another one's
/// unlock() has not returned yet. Destroying it with somebody in line is an error (asserted).
/// @example `test/unit/sync/mutex.cpp`
class COIR_API mutex {
public:
    /// Makes a mutex that nobody holds.
    constexpr mutex() noexcept = default;
    mutex(const mutex&) = delete;
    mutex& operator=(const mutex&) = delete;
    ~mutex() = default;

    /// Waits until the mutex is the caller's.
    /// @throws std::system_error resource_deadlock_would_occur if it is that already.
    void lock();

    /// Locks the mutex if that is possible at once. @returns whether it did; false also for who
    /// holds it already.
    bool try_lock() noexcept;

    /// Gives the mutex up; whoever has waited longest has it then.
    /// @throws std::system_error operation_not_permitted if the caller does not hold it. Otherwise
    /// it throws nothing.
    void unlock();

private:
    detail::owned_lock lock_;
};

}  // namespace coir
