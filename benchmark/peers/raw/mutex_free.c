// SPDX-License-Identifier: BSL-1.0
// The least that a lock of several threads does: an atomic exchange, and a store that gives it up.
#include "measure.h"

#include <stdatomic.h>

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    const long batch = 100000;
    atomic_int locked = 0;
    volatile long guarded = 0;
    struct window window = open_window(seconds);
    do {
        for (long i = 0; i < batch; ++i) {
            require(!atomic_exchange_explicit(&locked, 1, memory_order_acquire), "it is locked");
            guarded = guarded + 1;
            atomic_store_explicit(&locked, 0, memory_order_release);
        }
    } while (window_is_open(&window));
    require(guarded % batch == 0 && !locked, "the lock is not free");
    report_each_ns(window.spent_ns, guarded);
    report_checked("%ld times locked, and free at the end", guarded);
}
