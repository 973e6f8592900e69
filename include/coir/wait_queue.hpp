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
    /// Whether somebody who is no fiber of this run could end the wait. If every fiber waits and
    /// none of them could be woken from outside or by a timer, that is a deadlock. For a queue that
    /// a lock guards that somebody is another thread, so it counts only in a process that has had
    /// one.
    bool woken_from_outside = false;
};

class wait_queue;

namespace detail {

class signal_line;
class waiter;

struct wait_link {
    wait_link* previous;
    wait_link* next;
};

// Where one waiter stands in one line. While it is linked, it is guarded by what guards the queue.
struct wait_node : wait_link {
    wait_node() noexcept : wait_link{nullptr, nullptr} {}
    explicit wait_node(waiter& w) noexcept : wait_node() { owner = &w; }

    bool linked() const noexcept { return next != nullptr; }

    void link_before(wait_link& head) noexcept {
        previous = head.previous;
        next = &head;
        previous->next = this;
        head.previous = this;
    }

    void unlink() noexcept {
        previous->next = next;
        next->previous = previous;
        previous = next = nullptr;
    }

    waiter* owner = nullptr;
    bool is_place = false;  // it is a wait_place
    // It was through this node that its waiter was notified. Written by whoever claimed the waiter,
    // before the delivery; read by the waiter, after it.
    bool notified = false;
};

struct lock_functions {
    template <class Lock>
    static lock_functions of(Lock& lock) noexcept {
        return {&lock, [](void* l) { static_cast<Lock*>(l)->lock(); },
                [](void* l) {
                    static_cast<Lock*>(l)->unlock();
                }};
    }

    void* object;
    void (*lock)(void*);
    void (*unlock)(void*);
};

}  // namespace detail

/// @brief A place in the line of a wait_queue, made by the waiter before it waits: with it a waiter
/// can stand in several lines at once, and can show its notifier something.
///
/// Derive from it to hold what the notifier needs, such as the address that a value is to be
/// written to. See wait_queue::park_in() and wait_queue::claim_one().
///
/// @threadsafety From park_in() until its end a place belongs to the queue and to the waiter's
/// notifier; before and after, to the waiter.
/// @lifetime On the waiter's stack, as a rule. Queue and lock outlive the wait; but they are not
/// touched any more once the waiter was notified through this place.
class wait_place : public detail::wait_node {
public:
    /// @brief Makes a place in `queue`, which `lock` (Lockable) guards.
    template <class Lock>
    wait_place(wait_queue& queue, Lock& lock) noexcept
        : queue_(&queue), lock_(detail::lock_functions::of(lock)) {
        is_place = true;
    }
    wait_place(const wait_place&) = delete;
    wait_place& operator=(const wait_place&) = delete;

    /// @brief Locks the queue's lock.
    void lock() { lock_.lock(lock_.object); }
    /// @brief Unlocks the queue's lock.
    void unlock() { lock_.unlock(lock_.object); }
    /// @brief Returns the lock's address: to lock several in one order, and none twice.
    const void* lock_address() const noexcept { return lock_.object; }
    /// @brief Returns the queue.
    wait_queue& queue() const noexcept { return *queue_; }
    /// @brief Tells whether the last wait ended by a notification in this place's queue.
    bool was_notified() const noexcept { return notified; }

private:
    wait_queue* queue_;
    detail::lock_functions lock_;
};

/// @brief A waiter whose wait is over, and who does not know it yet: made by
/// wait_queue::claim_one().
///
/// Nothing else can end that wait any more, and the waiter stays where it is until the delivery. So
/// with the lock given up, what the waiter's place shows can be used in the meantime.
///
/// @threadsafety One thread at a time.
/// @lifetime The destructor delivers. After the delivery the waiter, and its place, may be gone.
class COIR_API claimed_waiter {
public:
    /// @brief Holds nobody.
    claimed_waiter() noexcept = default;
    /// @brief Takes over.
    claimed_waiter(claimed_waiter&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    /// @brief Takes over; delivers to whom it held.
    claimed_waiter& operator=(claimed_waiter&& other) noexcept {
        claimed_waiter old(std::exchange(node_, std::exchange(other.node_, nullptr)));
        return *this;
    }
    ~claimed_waiter() { deliver(); }

    /// @brief Tells whether it holds somebody.
    explicit operator bool() const noexcept { return node_ != nullptr; }

    /// @brief Returns the place through which the waiter was claimed; null if it waits without one.
    /// @pre It holds somebody.
    wait_place* place() const noexcept {
        return node_->is_place ? static_cast<wait_place*>(node_) : nullptr;
    }

    /// @brief Tells whether it is a fiber of the calling carrier: then it will run soon after the
    /// delivery, which wakes up nobody.
    /// @pre It holds somebody.
    bool is_local() const noexcept { return is_local(*node_); }

    /// @brief Lets the waiter go on. What was written before is seen by it.
    void deliver() noexcept {
        if (node_ != nullptr) {
            deliver_to(*std::exchange(node_, nullptr));
        }
    }

    /// @brief As deliver(), from a signal handler: async-signal-safe. The fiber goes on as if
    /// another thread had delivered, though it may be one of this carrier.
    /// @pre No plain thread waits.
    void deliver_from_signal_handler() noexcept {
        if (node_ != nullptr) {
            post_to(*std::exchange(node_, nullptr));
        }
    }

private:
    friend class wait_queue;  // nobody else can say that a waiter is claimed
    explicit claimed_waiter(detail::wait_node* node) noexcept : node_(node) {}
    static void deliver_to(detail::wait_node& node) noexcept;
    static void post_to(detail::wait_node& node) noexcept;
    static bool is_local(const detail::wait_node& node) noexcept;

    detail::wait_node* node_ = nullptr;
};

/// @brief A first-come-first-served line of fibers and threads that wait for something: the one
/// low-level waiting primitive, on which everything else that blocks is built.
///
/// Use it to write a primitive that coir lacks; use coir/sync for those that it has. The queue
/// holds no condition: as with a condition variable, the owner keeps one beside it. Where a
/// notifier hands something over to the very waiter that it wakes, the waiter waits in a
/// wait_place.
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
        return park_locked(head_, detail::lock_functions::of(lock), until, label, cancel);
    }

    /// As `park(lock, ...)`, but in front of all others: for a waiter that was notified, and finds
    /// that what it was woken for has been taken by somebody else.
    template <class Lock>
    wait_status park_in_front(Lock& lock, deadline until = deadline::never(),
                              wait_label label = {"wait queue", -1, true},
                              cancellable cancel = cancellable::yes) {
        return park_locked(*head_.next, detail::lock_functions::of(lock), until, label, cancel);
    }

    /// Waits in `place`, whose lock is held, for a notification; the lock is given up, and **not**
    /// held on return. Once notified, the waiter does not touch queue and lock again, so whoever
    /// was handed something through its place may destroy them.
    static wait_status park_in(wait_place& place, deadline until = deadline::never(),
                               wait_label label = {"wait queue", -1, true},
                               cancellable cancel = cancellable::yes) noexcept;

    /// Waits in several places at once, until a notification in one of their queues. Their locks
    /// are all held, and `held.unlock()` gives them up; none is held on return. One place at most
    /// was notified, and its queue and lock are not touched again. Two places may be in one queue.
    template <class Locks>
    static wait_status park_in_all(wait_place* const* places, std::size_t count, Locks& held,
                                   deadline until = deadline::never(),
                                   wait_label label = {"wait queues", -1, true},
                                   cancellable cancel = cancellable::yes) noexcept {
        const unlock_function unlock{&held, [](void* locks) {
                                         static_cast<Locks*>(locks)->unlock();
                                     }};
        return park_in_places(places, count, unlock, until, label, cancel);
    }

    /// Notifies the waiter that has waited longest. @returns false if nobody waited.
    bool unpark_one() noexcept;

    /// Notifies every waiter. @returns how many there were.
    std::size_t unpark_all() noexcept;

    /// Ends the wait of the one who has waited longest, as unpark_one() does, but leaves the
    /// delivery to the caller, who may give the lock up before. @returns whom; nobody if none
    /// waited.
    claimed_waiter claim_one() noexcept;

    /// Whether nobody is in line. A waiter that was cancelled or timed out leaves only once it runs
    /// again, so `false` may be stale; `true` never is.
    bool empty() const noexcept { return head_.next == &head_; }

private:
    friend class detail::signal_line;  // who waits there stands in a reactor's lists as well

    struct unlock_function {
        void* object;
        void (*unlock)(void*);
    };

    wait_status park_unlocked(deadline until, wait_label label, cancellable cancel) noexcept;
    static wait_status park_locked(detail::wait_link& next_in_line,
                                   const detail::lock_functions& lock, deadline until,
                                   wait_label label, cancellable cancel);
    static wait_status park_in_places(wait_place* const* places, std::size_t count,
                                      const unlock_function& held, deadline until, wait_label label,
                                      cancellable cancel) noexcept;

    detail::wait_link head_;  // circular; the oldest waiter is head_.next
};

}  // namespace coir
