// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

namespace coir::detail {

// Where the owner of a lock and those who wait for it come from: that tells whether a wait that
// never ends is a deadlock. Only who owns a lock can end a wait for it, and who will own it is who
// stands in line; so if these are all fibers of one run, nobody outside can help.
//
// Places are runs; null is anywhere else, and never equal to anything.
class lock_origin {
public:
    constexpr lock_origin() noexcept = default;

    // The owner says where it comes from when it has the lock, and takes that back before it gives
    // the lock up. So whoever has seen, by an acquire, that somebody owns the lock reads that one's
    // place or null, and never an earlier one's.
    void owned_from(const void* place) noexcept { owner_.store(place, std::memory_order_relaxed); }

    // With the line's lock held: somebody from `place` joins the line, as its first or behind
    // others. True if one who comes from elsewhere may own the lock before it is their turn.
    bool join(const void* place, bool first) noexcept {
        if (first) {
            everybody_ = owner_.load(std::memory_order_relaxed);
        }
        if (everybody_ != place) {
            everybody_ = nullptr;
        }
        if (first) {
            counted_on_ = everybody_;
        }
        return everybody_ == nullptr;
    }

    // With the line's lock held, and somebody in line: whether one from `place` may own the lock
    // before it is their turn, for all that join() has told them.
    bool may_overtake(const void* place) const noexcept {
        return counted_on_ == nullptr || counted_on_ == place;
    }

private:
    std::atomic<const void*> owner_{nullptr};
    const void* everybody_ = nullptr;   // the place that all in line and the owner come from
    const void* counted_on_ = nullptr;  // what that was when the line began
};

}  // namespace coir::detail
