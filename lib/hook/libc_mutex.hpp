// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/interpose.hpp"

#include <pthread.h>

namespace coir::hook::detail {

// A mutex that is libc's own, whoever locks it: for a few instructions, and never across a switch.
// Lockable.
class libc_mutex {
public:
    constexpr libc_mutex() noexcept = default;
    libc_mutex(const libc_mutex&) = delete;
    libc_mutex& operator=(const libc_mutex&) = delete;

    void lock() noexcept { COIR_ORIGINAL(pthread_mutex_lock)(&mutex_); }
    void unlock() noexcept { COIR_ORIGINAL(pthread_mutex_unlock)(&mutex_); }

private:
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

}  // namespace coir::hook::detail
