// SPDX-License-Identifier: BSL-1.0
#include "core/thread_parker.hpp"

#include "base/libc_only.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>

namespace coir::detail {

thread_parker& thread_parker::of_this_thread() {
    static thread_local thread_parker parker;
    return parker;
}

thread_parker::thread_parker() {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed_, &attributes);
    pthread_condattr_destroy(&attributes);
}

thread_parker::~thread_parker() {
    pthread_cond_destroy(&changed_);
    pthread_mutex_destroy(&mutex_);
}

bool thread_parker::park(deadline until) noexcept {
    pthread_mutex_lock(&mutex_);
    if (until.is_never()) {
        while (!unparked_) {
            pthread_cond_wait(&changed_, &mutex_);
        }
    } else if (until > deadline::immediately()) {
        // The steady clock is CLOCK_MONOTONIC, whose instants are not negative.
        const auto since_boot =
            std::max(until.time().time_since_epoch(), deadline::duration::zero());
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
        const timespec at{static_cast<time_t>(seconds.count()),
                          static_cast<long>((since_boot - seconds).count())};
        while (!unparked_ && pthread_cond_timedwait(&changed_, &mutex_, &at) != ETIMEDOUT) {
        }
    }
    const bool was_unparked = unparked_;
    unparked_ = false;
    pthread_mutex_unlock(&mutex_);
    return was_unparked;
}

void thread_parker::unpark() noexcept {
    // A fiber that calls holds a lock of somebody's wait queue, and must not park for ours.
    const libc_only no_switch;
    pthread_mutex_lock(&mutex_);
    unparked_ = true;
    pthread_cond_signal(&changed_);
    pthread_mutex_unlock(&mutex_);
}

}  // namespace coir::detail
