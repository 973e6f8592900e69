// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/wait_queue.hpp>

#include <utility>

namespace coir::detail {

// A waiter that was woken up and does not know it yet. It is part of what the waiter keeps on its
// stack for its notifier.
struct woken_link {
    claimed_waiter waiter;
    woken_link* next_woken = nullptr;
};

// Those whom one call wakes up, in order. It is delivered by the destructor, which is to run when
// what guards their queue is unlocked: it may be a system call for each. Until then they wait, and
// so keep in being what they wait for.
class woken_up {
public:
    woken_up() noexcept = default;
    woken_up(const woken_up&) = delete;
    woken_up& operator=(const woken_up&) = delete;
    ~woken_up() {
        while (first_ != nullptr) {
            // The link may be gone as soon as its waiter goes on.
            const claimed_waiter waiter = std::move(first_->waiter);
            first_ = first_->next_woken;
        }
    }

    void add(woken_link& link, claimed_waiter waiter) noexcept {
        link.waiter = std::move(waiter);
        link.next_woken = nullptr;
        *end_ = &link;
        end_ = &link.next_woken;
    }

private:
    woken_link* first_ = nullptr;
    woken_link** end_ = &first_;
};

}  // namespace coir::detail
