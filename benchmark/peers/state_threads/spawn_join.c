// SPDX-License-Identifier: BSL-1.0
// A thread that counts one and ends, spawned and joined: again and again, so that a stack is warm.
#include "measure.h"

#include <st.h>

static void* count_one(void* ran) {
    ++*(long*)ran;
    return NULL;
}

static void spawn_and_join(long times, long* ran) {
    for (long i = 0; i < times; ++i) {
        st_thread_join(st_thread_create(count_one, ran, 1, 64 * 1024), NULL);
    }
}

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    const long batch = 1000;
    long ran = 0;
    long spawned = 0;
    require(st_init() == 0, "st_init() has failed");
    spawn_and_join(batch, &ran);
    struct window window = open_window(seconds);
    do {
        spawn_and_join(batch, &ran);
        spawned += batch;
    } while (window_is_open(&window));
    require(ran == spawned + batch, "a thread did not run");
    report_each_ns(window.spent_ns, spawned);
    report_checked("%ld threads have run", ran);
}
