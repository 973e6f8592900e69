// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/mutex.hpp>

namespace coir {

void mutex::lock() { lock_.lock("mutex"); }
bool mutex::try_lock() noexcept { return lock_.try_lock(); }
void mutex::unlock() { lock_.unlock("mutex"); }

}  // namespace coir
