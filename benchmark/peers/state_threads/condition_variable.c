// SPDX-License-Identifier: BSL-1.0
// Two threads that wake each other by a condition variable, and wait for their turn. What is
// counted is one hand-over: a notification, a wait, and a switch. There is no mutex: State Threads'
// condition variables have none, as its threads share one of the system's.
#include "measure.h"

#include <st.h>

static st_cond_t changed;
static long turn;
static int stop;

static void* take_other_turns(void* unused) {
    while (!stop) {
        while (turn % 2 == 0 && !stop) {
            st_cond_wait(changed);
        }
        ++turn;
        st_cond_signal(changed);
    }
    return unused;
}

static void take_turns(long times) {
    for (long i = 0; i < times; ++i) {
        ++turn;
        st_cond_signal(changed);
        while (turn % 2 == 1) {
            st_cond_wait(changed);
        }
    }
}

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    const long batch = 10000;
    require(st_init() == 0, "st_init() has failed");
    changed = st_cond_new();
    st_thread_t other = st_thread_create(take_other_turns, NULL, 1, 64 * 1024);
    take_turns(batch);
    const long before = turn;
    struct window window = open_window(seconds);
    do {
        take_turns(batch);
    } while (window_is_open(&window));
    const long turns = turn - before;
    stop = 1;
    st_cond_signal(changed);
    st_thread_join(other, NULL);
    require(turns % (2 * batch) == 0, "a turn was lost");
    report_each_ns(window.spent_ns, turns);
    report_text("note", "no mutex");
    report_checked("%ld turns, every other one by the same thread", turns);
}
