// SPDX-License-Identifier: BSL-1.0
// Waiters stand in the queue by its address.
// expect: delete
#include <coir/wait_queue.hpp>

#include <utility>

void take(coir::wait_queue& queue) {
#ifdef CONTROL
    queue.unpark_all();
#else
    coir::wait_queue moved(std::move(queue));
#endif
}
