// SPDX-License-Identifier: BSL-1.0
// How many permits there are at first is not to be guessed.
// expect: no matching
#include <coir/sync/semaphore.hpp>

void acquire() {
#ifdef CONTROL
    coir::binary_semaphore permit(1);
#else
    coir::binary_semaphore permit;
#endif
    permit.acquire();
}
