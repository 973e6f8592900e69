// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <atomic>
#include <cstdint>

namespace coir::detail {

// The state of a primitive, and the spin lock that guards its wait queue, in one word:
//
//   bit 0       the lock
//   bits 1..63  the value, whose meaning is the primitive's
//
// While the word is unlocked anybody may change it, by change(): that is every fast path. While it
// is locked change() fails, and the value is the owner's alone: that is every slow path, which
// looks at the wait queue too.
//
// Both are in one word so that the store that unlocks also publishes the new value, and is the last
// thing that an operation does to the object. Who learns by the value that something has happened
// (a latch is down, a mutex is free) may destroy the object at once. With a lock beside the value
// the one who has changed the value would still have to unlock, in memory that is gone.
//
// For its regions what base/spin_lock.hpp says holds: a few instructions, no switch, no user's
// code. Lockable.
//
// Orderings: lock() acquires and unlock() releases. A successful change() does what its caller
// says; it pairs with the next lock(), peek() or change() that acquires.
class COIR_API locked_word {
public:
    using value = std::uint64_t;  // even

    constexpr explicit locked_word(value initial = 0) noexcept : word_(initial) {}
    locked_word(const locked_word&) = delete;
    locked_word& operator=(const locked_word&) = delete;

    // The value; odd, and then of no use but in a later change(), while the word is locked.
    value peek(std::memory_order order = std::memory_order_acquire) const noexcept {
        return word_.load(order);
    }

    // Makes the value `desired` if the word is unlocked and its value is `expected`.
    inline bool change(value expected, value desired, std::memory_order order) noexcept;

    inline void lock() noexcept;  // this and change(): sync/locked_word.hpp
    void unlock() noexcept { word_.store(get(), std::memory_order_release); }

    // The owner of the lock: the value, and what it shall be from unlock() on.
    value get() const noexcept { return word_.load(std::memory_order_relaxed) & ~lock_bit; }
    void set(value next) noexcept { word_.store(next | lock_bit, std::memory_order_relaxed); }

private:
    static constexpr value lock_bit = 1;

    void wait_and_lock() noexcept;

    std::atomic<value> word_;
};

}  // namespace coir::detail
