// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/recursive_timed_mutex.hpp>

namespace coir {

void recursive_timed_mutex::lock() { lock_.lock("recursive_timed_mutex"); }
bool recursive_timed_mutex::try_lock() noexcept { return lock_.try_lock(); }
bool recursive_timed_mutex::try_lock_until(deadline until) {
    return lock_.lock_until(until, "recursive_timed_mutex");
}
void recursive_timed_mutex::unlock() { lock_.unlock("recursive_timed_mutex"); }

}  // namespace coir
