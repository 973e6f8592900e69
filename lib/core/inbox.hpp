// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

namespace coir::detail {

// Something that another thread wants done on a carrier thread. It lives inside the thing that it
// is about (a waiter, a cancel scope), so that posting allocates nothing.
struct inbox_item {
    explicit inbox_item(void (*deliver_function)(inbox_item&) noexcept) noexcept
        : deliver(deliver_function) {}

    inbox_item* next = nullptr;
    void (*const deliver)(inbox_item&) noexcept;  // runs on the carrier; the item may be gone after
};

// A lock-free list of items, pushed by any thread and taken whole by the carrier. One word holds
// both the list and whether the carrier sleeps, so that neither a wake-up is lost nor a system call
// spent on a carrier that is awake:
//
//   head == null      empty, the carrier is awake
//   head == asleep()  empty, the carrier is about to block in its poller, or does
//   else              the newest item; the carrier is awake, or has been woken
//
//   null -> item          post, no wake-up needed: the carrier looks before it sleeps
//   asleep -> item        post, whose caller must wake the carrier; exactly one poster sees this
//   item -> newer item    post, the one before has seen to the wake-up
//   null -> asleep        try_sleep; fails if an item came first
//   asleep -> null        awake, when the poller returned for another reason
//   item -> null          take_all
//
// post releases and take_all acquires, so what the poster did before is seen by the delivery. The
// other halves of the pairs (all four are acq_rel) are there for carrier_group, which tells from
// everybody's inbox whether anybody could still act; its header has the argument.
class inbox {
public:
    // Any thread: posts to a carrier that is awake. False: it is not, and nothing was done. If
    // true, the inbox may be gone. It is taken to be empty until it turns out not to be: a load
    // before the exchange would fetch the line from the carrier twice.
    [[nodiscard]] bool post_to_awake(inbox_item& item) noexcept {
        inbox_item* head = nullptr;
        do {
            if (head == asleep()) {
                return false;
            }
            item.next = head;
        } while (!head_.compare_exchange_weak(head, &item, std::memory_order_acq_rel,
                                              std::memory_order_relaxed));
        return true;
    }

    // Any thread. True: the carrier may be blocked, and the caller must wake its poller.
    [[nodiscard]] bool post(inbox_item& item) noexcept {
        inbox_item* head = head_.load(std::memory_order_relaxed);
        do {
            item.next = head == asleep() ? nullptr : head;
        } while (!head_.compare_exchange_weak(head, &item, std::memory_order_acq_rel,
                                              std::memory_order_relaxed));
        return head == asleep();
    }

    // The carrier: says that it is going to block. False if there is something to do first.
    [[nodiscard]] bool try_sleep() noexcept {
        inbox_item* expected = nullptr;
        return head_.compare_exchange_strong(expected, asleep(), std::memory_order_acq_rel,
                                             std::memory_order_relaxed);
    }

    // The carrier: says that it no longer blocks.
    void awake() noexcept {
        inbox_item* expected = asleep();
        head_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel,
                                      std::memory_order_relaxed);
    }

    // The carrier: anything to take? A glance that costs no atomic operation.
    bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }

    // Any thread: whether the carrier has said that it is going to block, and nothing has been
    // posted since.
    bool is_asleep() const noexcept {
        return head_.load(std::memory_order_acquire) == reinterpret_cast<const inbox_item*>(this);
    }

    // The carrier, awake: takes and delivers everything, in the order in which it was posted.
    void deliver_all() noexcept {
        // Most often there is one. It comes from the poster's cache, while the exchange waits for
        // the word to do the same.
        __builtin_prefetch(head_.load(std::memory_order_relaxed));
        inbox_item* item = reversed(head_.exchange(nullptr, std::memory_order_acq_rel));
        while (item != nullptr) {
            inbox_item* const next = item->next;  // the delivery may end the item's life
            item->deliver(*item);
            item = next;
        }
    }

private:
    static inbox_item* reversed(inbox_item* item) noexcept {
        inbox_item* result = nullptr;
        while (item != nullptr) {
            inbox_item* const next = item->next;
            item->next = result;
            result = item;
            item = next;
        }
        return result;
    }

    // An address that no item has: the inbox's own.
    inbox_item* asleep() noexcept { return reinterpret_cast<inbox_item*>(this); }

    std::atomic<inbox_item*> head_{nullptr};
};

}  // namespace coir::detail
