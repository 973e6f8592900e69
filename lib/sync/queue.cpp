// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/queue.hpp>

#include "core/waiter.hpp"

#include <coir/cancellation.hpp>

#include <exception>
#include <string>
#include <utility>

namespace coir {

queue_shut_down::~queue_shut_down() = default;

namespace detail {

// One call that waits. Whoever notifies it has done what it waits for, or has shut the queue down.
struct queue_core::wait : wait_place {
    wait(wait_queue& queue, std::mutex& mutex, void* item_or_room) noexcept
        : wait_place(queue, mutex), value(item_or_room) {}

    void* const value;
    bool done = false;
    std::exception_ptr failure;  // of a put: there was no memory for the item
    claimed_waiter next;         // to be told after it
};

queue_core::wait& queue_core::wait_of(const claimed_waiter& who) noexcept {
    return static_cast<wait&>(*who.place());
}

void queue_core::throw_shut_down(const char* what) {
    throw queue_shut_down(std::string("coir: queue::") + what + ": the queue has been shut down");
}

// The lock is held when the wait begins, and never after.
bool queue_core::park(std::unique_lock<std::mutex>& guard, wait& w, deadline until,
                      const char* what) {
    guard.release();
    switch (wait_queue::park_in(w, until, {what, -1, true})) {
        case wait_status::notified: break;
        case wait_status::timed_out: return false;
        case wait_status::cancelled: throw operation_cancelled();
    }
    if (w.failure) {
        std::rethrow_exception(w.failure);
    }
    return true;
}

// --- Putting -----------------------------------------------------------------------------------

// Gives the lock up if it is true.
bool queue_core::put_now(std::unique_lock<std::mutex>& guard, void* item) {
    if (shut_down_) {
        throw_shut_down("put");
    }
    if (claimed_waiter getter = getters_.claim_one()) {
        ++unfinished_;
        guard.unlock();
        // The getter stays where it is until the delivery; the queue may be gone after it.
        items_.hand_over(item, wait_of(getter).value);
        wait_of(getter).done = true;
        return true;
    }
    if (items_.size() >= limit_) {
        return false;
    }
    items_.push(item);
    ++unfinished_;
    guard.unlock();
    return true;
}

bool queue_core::put(void* item, deadline until) {
    check_cancelled();
    std::unique_lock guard(mutex_);
    if (put_now(guard, item)) {
        spend_budget();
        return true;
    }
    wait w(putters_, mutex_, item);
    if (!park(guard, w, until, "room in a queue")) {
        return false;
    }
    if (!w.done) {
        throw_shut_down("put");
    }
    return true;
}

bool queue_core::try_put(void* item) {
    std::unique_lock guard(mutex_);
    return put_now(guard, item);
}

// --- Getting -----------------------------------------------------------------------------------

// Gives the lock up if it is true.
bool queue_core::get_now(std::unique_lock<std::mutex>& guard, void* to) {
    if (items_.size() == 0) {
        if (shut_down_) {
            throw_shut_down("get");
        }
        return false;
    }
    items_.pop(to);
    // The room is the oldest putter's. One whose item there is no memory for is told so, and the
    // next one has the room.
    claimed_waiter first;
    claimed_waiter* end = &first;
    for (bool room = true; room;) {
        claimed_waiter putter = putters_.claim_one();
        if (!putter) {
            break;
        }
        wait& w = wait_of(putter);
        try {
            items_.push(w.value);
            w.done = true;
            ++unfinished_;
            room = false;
        } catch (...) {
            w.failure = std::current_exception();
        }
        *end = std::move(putter);
        end = &w.next;
    }
    guard.unlock();
    tell(std::move(first));
    return true;
}

bool queue_core::get(void* to, deadline until) {
    check_cancelled();
    std::unique_lock guard(mutex_);
    if (get_now(guard, to)) {
        spend_budget();
        return true;
    }
    wait w(getters_, mutex_, to);
    if (!park(guard, w, until, "an item of a queue")) {
        return false;
    }
    if (!w.done) {
        throw_shut_down("get");
    }
    return true;
}

bool queue_core::try_get(void* to) {
    std::unique_lock guard(mutex_);
    return get_now(guard, to);
}

// --- The work that is left ---------------------------------------------------------------------

void queue_core::task_done() {
    claimed_waiter first;
    {
        const std::lock_guard guard(mutex_);
        if (unfinished_ == 0) {
            throw std::logic_error(
                "coir: queue::task_done: the work on every item was reported done already");
        }
        if (--unfinished_ == 0) {
            claim_all(joiners_, &first);
        }
    }
    tell(std::move(first));
}

bool queue_core::join(deadline until) {
    check_cancelled();
    std::unique_lock guard(mutex_);
    if (unfinished_ == 0) {
        guard.unlock();
        spend_budget();
        return true;
    }
    wait w(joiners_, mutex_, nullptr);
    return park(guard, w, until, "the work on a queue's items");
}

// --- The end -----------------------------------------------------------------------------------

// Appends all who wait to the list that ends in *end. They are told when the lock was given up: who
// is told may destroy the queue.
claimed_waiter* queue_core::claim_all(wait_queue& queue, claimed_waiter* end) noexcept {
    while (claimed_waiter one = queue.claim_one()) {
        wait& w = wait_of(one);
        *end = std::move(one);
        end = &w.next;
    }
    return end;
}

void queue_core::tell(claimed_waiter first) noexcept {
    while (first) {
        claimed_waiter next = std::move(wait_of(first).next);
        first = std::move(next);  // delivers to the one that was first
    }
}

void queue_core::shut_down() noexcept {
    claimed_waiter first;
    {
        const std::lock_guard guard(mutex_);
        shut_down_ = true;
        claim_all(putters_, claim_all(getters_, &first));
    }
    tell(std::move(first));
}

bool queue_core::drop_one(void* to) noexcept {
    claimed_waiter first;
    {
        const std::lock_guard guard(mutex_);
        if (items_.size() == 0) {
            return false;
        }
        items_.pop(to);
        if (unfinished_ != 0 && --unfinished_ == 0) {
            claim_all(joiners_, &first);
        }
    }
    tell(std::move(first));
    return true;
}

std::size_t queue_core::size() const noexcept {
    const std::lock_guard guard(mutex_);
    return items_.size();
}

}  // namespace detail
}  // namespace coir
