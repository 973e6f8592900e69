// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/wait_queue.hpp>

#include <atomic>

namespace coir::detail {

// Those who wait for a lock, and where they and its owner come from: that tells whether a wait that
// never ends is a deadlock. Only who owns the lock can end a wait for it, and who will own it is
// who stands in line; so if these are all fibers of one scheduler, nobody outside can help.
class waiting_line {
public:
    constexpr waiting_line() noexcept = default;

    wait_queue waiting;

    // The owner says where it comes from when it has the lock (a scheduler; null: from nowhere
    // known) and takes that back before it gives the lock up. So whoever has seen, by an acquire,
    // that somebody owns the lock reads that one's home or null, and never an earlier one's.
    void owned_from(const void* home) noexcept { owner_.store(home, std::memory_order_relaxed); }

    // With the line's lock held: `home` joins the line, as the first or behind others. True if one
    // who comes from elsewhere may own the lock before it is `home`'s turn.
    bool join(const void* home, bool first) noexcept {
        if (first) {
            everybody_ = owner_.load(std::memory_order_relaxed);
        }
        if (everybody_ != home) {
            everybody_ = nullptr;
        }
        return everybody_ == nullptr;
    }

private:
    std::atomic<const void*> owner_{nullptr};
    const void* everybody_ = nullptr;  // null: not all from one place
};

}  // namespace coir::detail
