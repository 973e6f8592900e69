// SPDX-License-Identifier: BSL-1.0
// Many threads alive at once: all are spawned, each runs until it waits at a gate, the gate opens,
// all end and are joined. What is counted is one thread of such a round: the first of the process,
// or, with --warm 1, later ones. No stack has a guard page.
#include "measure.h"

#include <st.h>

static st_cond_t gate;
static st_cond_t all_have_come;
static long fibers;
static long come;
static long passed;

static void* wait_at_gate(void* unused) {
    if (++come == fibers) {
        st_cond_signal(all_have_come);
    }
    st_cond_wait(gate);
    ++passed;
    return unused;
}

// Returns the time until all were alive.
static double go_round(st_thread_t* all, int stack_bytes) {
    come = passed = 0;
    const double start = cpu_ns();
    for (long i = 0; i < fibers; ++i) {
        all[i] = st_thread_create(wait_at_gate, NULL, 1, stack_bytes);
        require(all[i] != NULL, "there is no stack for a thread");
    }
    st_cond_wait(all_have_come);
    const double until_alive = cpu_ns() - start;
    require(passed == 0, "a thread has passed the gate");
    st_cond_broadcast(gate);
    for (long i = 0; i < fibers; ++i) {
        st_thread_join(all[i], NULL);
    }
    require(passed == fibers, "a thread has not passed the gate");
    return until_alive;
}

int main(int argc, char** argv) {
    fibers = (long)argument(argc, argv, "--fibers", 100000);
    const int warm = argument(argc, argv, "--warm", 0) != 0;
    const int stack_bytes = (int)argument(argc, argv, "--stack", 64 * 1024);
    const double seconds = argument(argc, argv, "--seconds", 1);
    require(st_init() == 0, "st_init() has failed");
    gate = st_cond_new();
    all_have_come = st_cond_new();
    st_thread_t* all = calloc((size_t)fibers, sizeof *all);
    if (warm) {
        go_round(all, stack_bytes);
        go_round(all, stack_bytes);
    }
    double until_alive_ns = 0;
    long rounds = 0;
    struct window window = open_window(warm ? seconds : 0);
    do {
        until_alive_ns += go_round(all, stack_bytes);
        ++rounds;
    } while (window_is_open(&window));
    const double counted = (double)(rounds * fibers);
    report_each_ns(window.spent_ns, counted);
    report_number("until_alive_ns", until_alive_ns / counted);
    report_text("note", "no guard pages");
    report_checked("%ld rounds of %ld threads, each at the gate and past it", rounds, fibers);
    free(all);
}
