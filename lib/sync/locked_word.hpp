// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/single_threaded.hpp>
#include <coir/sync/detail/locked_word.hpp>

namespace coir::detail {

// The two operations that are atomic exchanges, which cost some twenty cycles each. In a process of
// one thread, which many a program of fibers is, they are a load and a store: nobody else is there,
// and the one thread does not switch fibers between the two. The first thread to be started sees
// all that came before.

inline bool locked_word::change(value expected, value desired, std::memory_order order) noexcept {
    if (single_threaded()) {
        if (word_.load(std::memory_order_relaxed) != expected) {
            return false;
        }
        word_.store(desired, std::memory_order_relaxed);
        return true;
    }
    return word_.compare_exchange_strong(expected, desired, order, std::memory_order_relaxed);
}

inline void locked_word::lock() noexcept {
    if (single_threaded()) {
        word_.store(word_.load(std::memory_order_relaxed) | lock_bit, std::memory_order_relaxed);
    } else if ((word_.fetch_or(lock_bit, std::memory_order_acquire) & lock_bit) != 0) {
        wait_and_lock();
    }
}

}  // namespace coir::detail
