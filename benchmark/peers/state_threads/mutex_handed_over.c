// SPDX-License-Identifier: BSL-1.0
// Two threads that pass a mutex to and fro: whenever it is unlocked the other one waits for it.
// What is counted is one change of hands. As unlocking hands the mutex over, the next lock has to
// wait: but for the start, nobody has to sleep to make that so.
#include "measure.h"

#include <st.h>

static st_mutex_t mutex;
static long turns;
static int stop;

static void* take_other_turns(void* unused) {
    for (int stopped = 0; !stopped;) {
        st_mutex_lock(mutex);
        require(turns % 2 == 1, "the mutex was not handed over");
        ++turns;
        stopped = stop;
        st_mutex_unlock(mutex);
    }
    return unused;
}

static void take_turns(long times) {
    for (long i = 0; i < times; ++i) {
        require(turns % 2 == 0, "the mutex was not handed over");
        ++turns;
        st_mutex_unlock(mutex);
        st_mutex_lock(mutex);
    }
}

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    const long batch = 10000;
    require(st_init() == 0, "st_init() has failed");
    mutex = st_mutex_new();
    st_mutex_lock(mutex);
    st_thread_t other = st_thread_create(take_other_turns, NULL, 1, 64 * 1024);
    st_usleep(1);  // until the other one waits
    take_turns(batch);
    const long before = turns;
    struct window window = open_window(seconds);
    do {
        take_turns(batch);
    } while (window_is_open(&window));
    report_each_ns(window.spent_ns, turns - before);
    report_checked("%ld turns, every other one by the same thread", turns);
    stop = 1;
    ++turns;
    st_mutex_unlock(mutex);
    st_thread_join(other, NULL);
}
