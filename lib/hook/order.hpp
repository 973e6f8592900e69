// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

namespace coir::hook::detail {

// Keeps what is read next from being read before what an atomic exchange, of libc's or ours, has
// just written. On x86-64 the exchange itself sees to that.
inline void order_before_next_step() noexcept {
#if defined(__aarch64__)
    asm volatile("dmb ish" ::: "memory");
#elif !defined(__x86_64__)
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace coir::hook::detail
