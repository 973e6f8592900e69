// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

namespace coir::hook::detail {

inline constinit thread_local pid_t known_thread_id [[gnu::tls_model("initial-exec")]] = 0;

// The kernel's number for the calling thread: what glibc notes as a lock's owner.
inline pid_t thread_id() noexcept {
    if (known_thread_id == 0) {
        known_thread_id = ::gettid();
    }
    return known_thread_id;
}

// In the child of a fork(2), where it is another.
inline void forget_thread_id() noexcept { known_thread_id = 0; }

}  // namespace coir::hook::detail
