// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/timed_mutex.hpp>

namespace coir {

void timed_mutex::lock() { lock_.lock("timed_mutex"); }
bool timed_mutex::try_lock() noexcept { return lock_.try_lock(); }
bool timed_mutex::try_lock_until(deadline until) { return lock_.lock_until(until, "timed_mutex"); }
void timed_mutex::unlock() { lock_.unlock("timed_mutex"); }

}  // namespace coir
