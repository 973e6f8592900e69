// SPDX-License-Identifier: BSL-1.0
// sched_yield, by other names too: in a loop around it a program waits for what another thread
// does, or another fiber of its own.
#include "hook/interpose.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <pthread.h>
#include <sched.h>
#include <threads.h>

using namespace coir::hook::detail;

COIR_HOOK int sched_yield() noexcept {
    if (takes_call()) {
        coir::shield([] { coir::this_fiber::yield(); });
    }
    return COIR_ORIGINAL(sched_yield)();
}

COIR_HOOK void thrd_yield() { ::sched_yield(); }

// Other names of the same.
COIR_HOOK [[gnu::alias("sched_yield")]] int __sched_yield() noexcept;
// <pthread.h> has given this one's name to the first.
COIR_HOOK [[gnu::alias("sched_yield")]] int yield_by_pthreads_name() noexcept asm("pthread_yield");
