// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/single_threaded.hpp>
#include <coir/export.hpp>

#include <atomic>

namespace coir::detail {

// Tells the core that this thread spins: it saves power, and lets the other hyper-thread (perhaps
// the lock's owner) run.
inline void pause_while_spinning() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    asm volatile("yield");
#endif
}

// How to wait for a spinning lock's owner, one step at a time.
class spin_wait {
public:
    void once() noexcept {
        if (spins_ < spins_before_yield) {
            ++spins_;
            pause_while_spinning();
        } else {
            give_way();
        }
    }

private:
    COIR_API static void give_way() noexcept;

    // Past this many pauses (some microseconds) the owner has most likely lost its processor, and
    // may want ours.
    static constexpr int spins_before_yield = 64;

    int spins_ = 0;
};

// A lock of one byte for the few instructions that link or unlink a node: test and test-and-set.
// Lockable.
//
// Only for such regions. The owner must not switch fibers (the next fiber of this thread would spin
// for ever on a lock that nobody can release), allocate, log, make a system call or run a user's
// code: an owner whom the kernel preempts makes every waiter burn its time slice. It is unfair and
// not recursive. A std::mutex would be fair to the processor but forty times as large, and one
// lives in every future and every fiber.
//
// Orderings: the exchange in lock() acquires and the store in unlock() releases; the pair makes all
// that one owner wrote visible to the next. The loads in between only wait for a good moment to
// try, order nothing, and are relaxed. They keep the line shared among the waiters, where a bare
// exchange would bounce it from core to core.
//
// In a process of one thread nobody else is there to hold it, and the exchange, which costs some
// twenty cycles, is a store.
class spin_lock {
public:
    spin_lock() = default;
    spin_lock(const spin_lock&) = delete;
    spin_lock& operator=(const spin_lock&) = delete;

    void lock() noexcept {
        if (single_threaded()) {
            held_.store(true, std::memory_order_relaxed);
            return;
        }
        while (held_.exchange(true, std::memory_order_acquire)) {
            wait_until_it_looks_free();
        }
    }

    // As lock(), but false, at once, if another thread holds it.
    bool lock_at_once() noexcept {
        if (single_threaded()) {
            held_.store(true, std::memory_order_relaxed);
            return true;
        }
        return try_lock();
    }

    bool try_lock() noexcept {
        return !held_.load(std::memory_order_relaxed) &&
               !held_.exchange(true, std::memory_order_acquire);
    }

    void unlock() noexcept { held_.store(false, std::memory_order_release); }

private:
    [[gnu::noinline]] void wait_until_it_looks_free() noexcept {
        for (spin_wait wait; held_.load(std::memory_order_relaxed);) {
            wait.once();
        }
    }

    std::atomic<bool> held_{false};
};

static_assert(sizeof(spin_lock) == 1, "every future and fiber has one, so it must stay one byte");

}  // namespace coir::detail
