// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/locked_word.hpp>
#include <coir/wait_queue.hpp>

#include <chrono>
#include <condition_variable>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief std::condition_variable, and std::condition_variable_any, for fibers and threads.
///
/// It works with every BasicLockable: std::unique_lock of a coir::mutex, a coir::mutex itself,
/// std::shared_lock, and also std::unique_lock<std::mutex> in a program that is ported step by
/// step.
///
/// @suspends All waits: they give the lock up, park the calling fiber or block the calling thread,
/// and take the lock again. The lock's `unlock()` must not wait and must not throw.
/// @threadsafety Any thread. Notifying needs no lock; with or without, a notification that comes
/// after a waiter gave its lock up reaches it or another waiter.
/// @errors std::system_error (operation_not_permitted) if the lock has `owns_lock()` and does not
/// own. What the lock's `lock()` throws comes out of the wait.
/// @cancellation Every wait is a cancellation point, also where the predicate holds already. A
/// cancelled wait has the lock again when operation_cancelled leaves it, and takes no
/// notification with it.
/// @order First come, first served; notify_one() ends the wait that has lasted longest. A wait ends
/// for one reason: there are no spurious wake-ups, but another one may have changed the condition
/// before the lock was had again, so a condition is checked in a loop as ever.
/// @lifetime As in std it may be destroyed as soon as everybody who waited was notified, though
/// some of them may not have run yet. Destroying it under a wait is an error (asserted).
/// @example `test/unit/sync/condition_variable.cpp`
class COIR_API condition_variable {
public:
    /// Makes one that nobody waits for.
    constexpr condition_variable() noexcept = default;
    condition_variable(const condition_variable&) = delete;
    condition_variable& operator=(const condition_variable&) = delete;
    ~condition_variable() = default;

    /// Ends the longest wait, if there is any.
    void notify_one() noexcept;

    /// Ends every wait.
    void notify_all() noexcept;

    /// Gives `lock` up, waits for a notification, and takes `lock` again.
    /// @throws operation_cancelled, with the lock held.
    template <class Lock>
    void wait(Lock& lock) {
        wait_with(lock, deadline::never());
    }

    /// Waits until `predicate()`, called with the lock held, is true.
    template <class Lock, class Predicate>
    void wait(Lock& lock, Predicate predicate) {
        wait_until(lock, deadline::never(), std::move(predicate));
    }

    /// Waits for a notification, until `until`. @returns timeout if the deadline came first.
    template <class Lock>
    std::cv_status wait_until(Lock& lock, deadline until) {
        return wait_with(lock, until) ? std::cv_status::no_timeout : std::cv_status::timeout;
    }

    /// Waits for `predicate()`, until `until`. @returns what it is then.
    template <class Lock, class Predicate>
    bool wait_until(Lock& lock, deadline until, Predicate predicate) {
        cancellation_point();
        while (!predicate()) {
            if (!wait_with(lock, until)) {
                return predicate();
            }
        }
        return true;
    }

    /// Waits for a notification, for at most `timeout`. @returns timeout if it came first.
    template <class Lock, class Rep, class Period>
    std::cv_status wait_for(Lock& lock, std::chrono::duration<Rep, Period> timeout) {
        return wait_until(lock, deadline::after(timeout));
    }

    /// Waits for `predicate()`, for at most `timeout`. @returns what it is then.
    template <class Lock, class Rep, class Period, class Predicate>
    bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> timeout, Predicate predicate) {
        return wait_until(lock, deadline::after(timeout), std::move(predicate));
    }

private:
    template <class Lock, class = void>
    struct knows_owner : std::false_type {};
    template <class Lock>
    struct knows_owner<Lock, std::void_t<decltype(std::declval<const Lock&>().owns_lock())>>
        : std::true_type {};

    template <class Lock>
    bool wait_with(Lock& lock, deadline until) {
        if constexpr (knows_owner<Lock>::value) {
            if (!lock.owns_lock()) {
                refuse();
            }
        }
        return wait_erased(detail::lock_functions::of(lock), until);
    }

    bool wait_erased(const detail::lock_functions& lock, deadline until);
    static void cancellation_point();
    [[noreturn]] static void refuse();

    detail::locked_word state_;  // nothing but the lock of the line
    wait_queue waiting_;
};

/// The same: condition_variable takes any lock.
using condition_variable_any = condition_variable;

}  // namespace coir
