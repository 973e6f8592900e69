// SPDX-License-Identifier: BSL-1.0
// A mutex that nobody else wants. What is counted is one lock and its unlock.
#include "measure.h"

#include <st.h>

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    const long batch = 100000;
    require(st_init() == 0, "st_init() has failed");
    st_mutex_t mutex = st_mutex_new();
    volatile long guarded = 0;
    struct window window = open_window(seconds);
    do {
        for (long i = 0; i < batch; ++i) {
            st_mutex_lock(mutex);
            guarded = guarded + 1;
            st_mutex_unlock(mutex);
        }
    } while (window_is_open(&window));
    require(st_mutex_trylock(mutex) == 0, "the mutex is still locked");
    report_each_ns(window.spent_ns, guarded);
    report_checked("%ld times locked, and free at the end", guarded);
}
