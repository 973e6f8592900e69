// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/inbox.hpp"
#include "core/thread_parker.hpp"

#include <coir/export.hpp>
#include <coir/wait_queue.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace coir::detail {

class fiber_control;

// One wait of one fiber or thread. It lives on the stack of whoever waits and is passed through
// exactly one transition, waiting -> {notified, timed_out, cancelled}, by whoever claims it first:
//
//   notified   a notifier that found one of the waiter's nodes in a queue; any thread if the queue
//              is guarded by a lock, else the home thread
//   timed_out  the timer, on the home thread
//   cancelled  the scope, on the home thread
//
// The claim decides the race; everything after it (ready queue, inbox) just delivers the outcome.
// Until the outcome was delivered the waiter stays where it is: its fiber cannot run before that.
class waiter : inbox_item {  // by which another thread delivers
public:
    explicit waiter(bool shared) noexcept;
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter();

    // Makes `outcome` the outcome unless the wait has one already. True if this call decided it.
    bool claim(wait_status outcome) noexcept {
        if (!shared_) {  // only the home thread can get here: a plain load and store will do
            if (state_.load(std::memory_order_relaxed) != waiting) {
                return false;
            }
            state_.store(static_cast<std::uint8_t>(outcome), std::memory_order_relaxed);
            return true;
        }
        // acq_rel: what the claimer did before is seen by the waiter, which reads the outcome with
        // acquire (a thread) or was handed over through the inbox or its own ready queue (a fiber).
        std::uint8_t expected = waiting;
        return state_.compare_exchange_strong(expected, static_cast<std::uint8_t>(outcome),
                                              std::memory_order_acq_rel, std::memory_order_acquire);
    }

    bool claimed() const noexcept { return state_.load(std::memory_order_acquire) != waiting; }
    wait_status outcome() const noexcept {
        return static_cast<wait_status>(state_.load(std::memory_order_acquire));
    }

    // Delivers a claimed outcome: makes the fiber ready on its home thread, or wakes the thread.
    // The waiter may be gone when this returns.
    void deliver() noexcept;

    // The same for a fiber, whoever calls and wherever: async-signal-safe. The ready queue of this
    // very thread may be what the signal has interrupted; the inbox is lock-free.
    void deliver_through_inbox() noexcept;

    bool shared() const noexcept { return shared_; }

    // Whether a fiber of the calling carrier waits.
    bool is_local() const noexcept;

    fiber_control* fiber() const noexcept { return fiber_; }
    thread_parker* thread() const noexcept { return parker_; }

private:
    static constexpr std::uint8_t waiting = 0xff;

    static void deliver_from_inbox(inbox_item& item) noexcept;

    std::atomic<std::uint8_t> state_{waiting};
    const bool shared_;            // some queue that it stands in is guarded by a lock
    fiber_control* const fiber_;   // null: a plain thread waits
    thread_parker* const parker_;  // null: a fiber waits
};

// Takes the first in line out whose wait it can end as notified; null if there is none. Until the
// caller has delivered that, the waiter stays, with its node, and its fiber or thread waits:
// between the two the caller may write what the waiter shall find.
//
// The node's `notified`, and whatever else is written then, are plain variables. They are published
// by the delivery: the inbox (release to acquire), the thread's parker (its mutex), or, on the home
// thread, program order. The waiter reads them only after its park() has returned `notified`, which
// on every path comes after the delivery.
wait_node* claim_one(wait_link& head) noexcept;

// Ends the wait of the one that stands first in a queue, or of all. See wait_queue.
bool unpark_one(wait_link& head) noexcept;
std::size_t unpark_all(wait_link& head) noexcept;

// The one place where everything waits. Parks the calling fiber or blocks the calling thread until
// `w`, which the caller has put where its notifiers will find it, is claimed. The caller takes its
// nodes out of their queues afterwards (a notifier has taken out the one that it found).
wait_status park(waiter& w, deadline until, const wait_label& label, cancellable cancel) noexcept;

// Throws operation_cancelled if a scope around the caller is cancelled: the test that every
// cancellation point makes, whether or not it has to wait.
void check_cancelled();
COIR_API bool cancellation_pending() noexcept;

// A libc-shaped call cannot throw: the errno that it fails with instead, ETIMEDOUT if a deadline is
// the cause and else ECANCELED. The scope is told, so that it does not take a normal return for
// success. Call it only when cancellation_pending().
COIR_API int cancellation_errno() noexcept;

// Counts a call that did not need to wait; every so many of them in a row the fiber yields.
COIR_API void spend_budget() noexcept;

}  // namespace coir::detail
