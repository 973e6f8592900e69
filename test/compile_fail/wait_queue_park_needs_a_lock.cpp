// SPDX-License-Identifier: BSL-1.0
// A thread that waits without its lock could miss the notification; something that is neither lock
// nor time is refused.
// expect: no matching
#include <coir/wait_queue.hpp>

#include <mutex>

void wait(coir::wait_queue& queue, std::unique_lock<std::mutex>& lock) {
#ifdef CONTROL
    queue.park(lock);
#else
    int number = 0;
    static_cast<void>(lock);
    queue.park(number);
#endif
}
