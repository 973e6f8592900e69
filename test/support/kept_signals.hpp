// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/sanitizers.hpp"

#include <chrono>

namespace coir::test {

// Waits for an event that a signal handler will set, or what comes of that. ThreadSanitizer runs a
// handler when the fiber that the signal has interrupted next makes a call that it knows. A fiber
// that was interrupted on its last step into the wait would never make one; so it is to wake up now
// and then.
template <class Event>
void wait_for_handler(Event& event) {
#ifdef COIR_THREAD_SANITIZER
    while (!event.wait_for(std::chrono::milliseconds(10))) {
    }
#else
    event.wait();
#endif
}

}  // namespace coir::test
