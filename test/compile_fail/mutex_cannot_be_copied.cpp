// SPDX-License-Identifier: BSL-1.0
// Who waits for a mutex does so by its address.
// expect: delete
#include <coir/sync/mutex.hpp>

void take(coir::mutex& mutex) {
#ifdef CONTROL
    coir::mutex& same = mutex;
    same.lock();
#else
    coir::mutex copy(mutex);
    copy.lock();
#endif
}
