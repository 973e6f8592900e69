// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>
#include <signal.h>

namespace coir::detail {

// The calling thread's. A process that libc starts begins with that of the thread that calls, and a
// thread of the pool blocks all signals.
inline sigset_t signal_mask() noexcept {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return mask;
}

// While one lives, the thread has the given mask.
class with_signal_mask {
public:
    explicit with_signal_mask(const sigset_t& mask) noexcept {
        ::pthread_sigmask(SIG_SETMASK, &mask, &before_);
    }
    with_signal_mask(const with_signal_mask&) = delete;
    with_signal_mask& operator=(const with_signal_mask&) = delete;
    ~with_signal_mask() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

}  // namespace coir::detail
