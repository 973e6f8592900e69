// SPDX-License-Identifier: BSL-1.0
// A std::lock_guard cannot be unlocked while one waits.
// expect: no member named
#include <coir/sync/condition_variable.hpp>
#include <coir/sync/mutex.hpp>

#include <mutex>

void wait(coir::condition_variable& changed, coir::mutex& mutex) {
#ifdef CONTROL
    std::unique_lock<coir::mutex> lock(mutex);
#else
    std::lock_guard<coir::mutex> lock(mutex);
#endif
    changed.wait(lock);
}
