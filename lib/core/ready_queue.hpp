// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/fiber_control.hpp"

namespace coir::detail {

// The fibers that could run, first come, first served: a singly linked list through the control
// blocks, so that it grows with no allocation.
class ready_queue {
public:
    bool empty() const noexcept { return head_ == nullptr; }

    void push(fiber_control& fiber) noexcept {
        fiber.next_ready = nullptr;
        *tail_ = &fiber;
        tail_ = &fiber.next_ready;
    }

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
