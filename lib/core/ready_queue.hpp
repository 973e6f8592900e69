// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/fiber_control.hpp"

namespace coir::detail {

// The fibers that could run, first come, first served, but for those that have let another one run
// before them: a singly linked list through the control blocks, so that it grows with no
// allocation.
class ready_queue {
public:
    bool empty() const noexcept { return head_ == nullptr; }

    void push(fiber_control& fiber) noexcept {
        fiber.next_ready = nullptr;
        *tail_ = &fiber;
        tail_ = &fiber.next_ready;
    }

    // Before all others, until it is popped or those_in_front_go_back().
    void push_front(fiber_control& fiber) noexcept {
        fiber.stands_in_front = true;
        fiber.next_ready = head_;
        if (head_ == nullptr) {
            tail_ = &fiber.next_ready;
        }
        head_ = &fiber;
    }

    // To the end of the line, in the order in which they stand. Each has been pushed once for it,
    // so there are no more of them than there were pushes.
    void those_in_front_go_back() noexcept {
        while (is_led_from_front()) {
            fiber_control& first = *pop();
            first.stands_in_front = false;
            push(first);
        }
    }

    // Whether the first one was pushed to the front.
    bool is_led_from_front() const noexcept { return head_ != nullptr && head_->stands_in_front; }

    // Null if empty.
    fiber_control* front() const noexcept { return head_; }

    // Null if empty. Starts loading what the next two of these calls will need: with many fibers
    // each of them is some cache misses, which then happen meanwhile. Of the fiber that is now
    // first that is its stack; its control block, which says where that is, is on its way since the
    // call before, when it was second.
    fiber_control* pop() noexcept {
        fiber_control* const first = head_;
        if (first != nullptr) {
            head_ = first->next_ready;
            if (head_ == nullptr) {
                tail_ = &head_;
            } else {
                __builtin_prefetch(head_->next_ready);
                head_->context.prefetch();
            }
        }
        return first;
    }

private:
    fiber_control* head_ = nullptr;
    fiber_control** tail_ = &head_;  // where the next one is linked
};

}  // namespace coir::detail
