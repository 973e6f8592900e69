// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace coir {

/// @brief Why a wait on a @ref wait_queue ended.
enum class wait_status : std::uint8_t {
    notified,   ///< somebody unparked this waiter; nobody else got that notification
    timed_out,  ///< the deadline passed first
    cancelled,  ///< a cancel scope around the waiter was cancelled, or its deadline passed
};

/// @brief Whether a wait ends when a scope around it is cancelled.
enum class cancellable : bool { no, yes };

/// @brief What a wait is for, as dumps and deadlock reports show it.
struct wait_label {
    const char* text = "wait queue";  ///< a string that outlives the wait
    long number = -1;                 ///< a detail such as a descriptor; shown unless negative
    /// Whether somebody who is no fiber of this scheduler could end the wait. If every fiber waits
    /// and none of them could be woken from outside or by a timer, that is a deadlock.
    bool woken_from_outside = false;
};

namespace detail {
struct wait_link {
    wait_link* previous;
    wait_link* next;
};
}  // namespace detail

/// @brief A first-come-first-served line of fibers and threads that wait for something: the one
/// low-level waiting primitive, on which everything else that blocks is built.
///
/// Use it to write a primitive that coir lacks; use coir/sync for those that it has. The queue
/// holds no condition: as with a condition variable, the owner keeps one beside it.
///
/// @suspends `park` parks the calling fiber, or blocks the calling thread. Nothing else waits.
/// @threadsafety None of its own. Used by the fibers of one carrier thread alone it needs no lock.
/// A queue that threads share is guarded by a lock of the owner's: `park(lock, ...)` gives the lock
/// up while it waits, and every other call is made with the lock held.
/// @errors None: parking allocates nothing and cannot fail.
/// @cancellation `park` ends with wait_status::cancelled unless told `cancellable::no`; it does not
/// throw, so that the owner can put its state in order. Call check_cancelled() afterwards.
/// @order Waiters are notified in the order in which they parked. Notification, deadline and
/// cancellation exclude each other: a waiter that was not notified took no notification away.
/// @lifetime Destroying a queue that has waiters is an error (asserted).
class COIR_API wait_queue {
public:
    constexpr wait_queue() noexcept : head_{&head_, &head_} {}
    wait_queue(const wait_queue&) = delete;
    wait_queue& operator=(const wait_queue&) = delete;
    ~wait_queue();

    /// Waits for a notification, with no lock: for the fibers of one carrier thread.
    /// @pre Called by a fiber, or with a deadline: a thread alone could never be notified.
    wait_status park(deadline until = deadline::never(), wait_label label = {},
                     cancellable cancel = cancellable::yes) noexcept {
        return park_unlocked(until, label, cancel);
    }

    /// Waits for a notification; `lock` (Lockable, held) is released while waiting and held again
    /// on return.
    template <class Lock, class = decltype(std::declval<Lock&>().lock())>
    wait_status park(Lock& lock, deadline until = deadline::never(),
                     wait_label label = {"wait queue", -1, true},
                     cancellable cancel = cancellable::yes) {
        const lock_functions functions{&lock, [](void* l) { static_cast<Lock*>(l)->lock(); },
                                       [](void* l) {
                                           static_cast<Lock*>(l)->unlock();
                                       }};
        return park_locked(functions, until, label, cancel);
    }

    /// Notifies the waiter that has waited longest. @returns false if nobody waited.
    bool unpark_one() noexcept;

    /// Notifies every waiter. @returns how many there were.
    std::size_t unpark_all() noexcept;

    /// Whether nobody is in line. A waiter that was cancelled or timed out leaves only once it runs
    /// again, so `false` may be stale; `true` never is.
    bool empty() const noexcept { return head_.next == &head_; }

private:
    struct lock_functions {
        void* object;
        void (*lock)(void*);
        void (*unlock)(void*);
    };

    wait_status park_unlocked(deadline until, wait_label label, cancellable cancel) noexcept;
    wait_status park_locked(const lock_functions& lock, deadline until, wait_label label,
                            cancellable cancel);

    detail::wait_link head_;  // circular; the oldest waiter is head_.next
};

}  // namespace coir
