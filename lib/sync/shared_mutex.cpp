// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/shared_mutex.hpp>

namespace coir {

void shared_mutex::lock() { lock_.lock_until(deadline::never(), "shared_mutex"); }
bool shared_mutex::try_lock() noexcept { return lock_.try_lock(); }
void shared_mutex::unlock() { lock_.unlock("shared_mutex"); }
void shared_mutex::lock_shared() { lock_.lock_shared_until(deadline::never(), "shared_mutex"); }
bool shared_mutex::try_lock_shared() noexcept { return lock_.try_lock_shared(); }
void shared_mutex::unlock_shared() { lock_.unlock_shared("shared_mutex"); }

void shared_timed_mutex::lock() { lock_.lock_until(deadline::never(), "shared_timed_mutex"); }
bool shared_timed_mutex::try_lock() noexcept { return lock_.try_lock(); }
void shared_timed_mutex::unlock() { lock_.unlock("shared_timed_mutex"); }
void shared_timed_mutex::lock_shared() {
    lock_.lock_shared_until(deadline::never(), "shared_timed_mutex");
}
bool shared_timed_mutex::try_lock_shared() noexcept { return lock_.try_lock_shared(); }
void shared_timed_mutex::unlock_shared() { lock_.unlock_shared("shared_timed_mutex"); }

bool shared_timed_mutex::try_lock_until(deadline until) {
    return lock_.lock_until(until, "shared_timed_mutex");
}
bool shared_timed_mutex::try_lock_shared_until(deadline until) {
    return lock_.lock_shared_until(until, "shared_timed_mutex");
}

}  // namespace coir
