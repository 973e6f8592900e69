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

    // Null if empty. Starts loading the control block of the fiber after, which is next to be asked
    // for: with many fibers each of them is a cache miss, and this one then happens meanwhile.
    fiber_control* pop() noexcept {
        fiber_control* const first = head_;
        if (first != nullptr) {
            head_ = first->next_ready;
            if (head_ == nullptr) {
                tail_ = &head_;
            } else {
                __builtin_prefetch(head_);
            }
        }
        return first;
    }

private:
    fiber_control* head_ = nullptr;
    fiber_control** tail_ = &head_;  // where the next one is linked
};

}  // namespace coir::detail
