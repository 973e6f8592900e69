// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/recursive_mutex.hpp>

namespace coir {

void recursive_mutex::lock() { lock_.lock("recursive_mutex"); }
bool recursive_mutex::try_lock() noexcept { return lock_.try_lock(); }
void recursive_mutex::unlock() { lock_.unlock("recursive_mutex"); }

}  // namespace coir
