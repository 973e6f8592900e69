// SPDX-License-Identifier: BSL-1.0
// Several queues at once, or a hand-over, are for queues that a lock guards.
// expect: no matching function
#include <coir/wait_queue.hpp>

#include <mutex>

void use(coir::wait_queue& queue, std::mutex& mutex) {
#ifdef CONTROL
    coir::wait_place place(queue, mutex);
#else
    (void)mutex;
    coir::wait_place place(queue);
#endif
    coir::wait_queue::park_in(place);
}
