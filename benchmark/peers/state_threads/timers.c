// SPDX-License-Identifier: BSL-1.0
// Many threads, each of which sleeps 1 to 100 ms, again and again. What is counted is the processor
// time of one wake-up, and how late it was. State Threads sleeps from when it last read the clock,
// which is before it was asked to, and so may wake too early: that counts as not late, and the
// share of it is told.
#include "lateness.h"

#include <st.h>

static struct lateness late;
static long early;
static int counting;
static int stop;

static void* sleep_again_and_again(void* number) {
    unsigned long random = (unsigned long)number;
    while (!stop) {
        const long nap_us = (next_nap_ns(&random) + 999) / 1000;
        const double due = wall_ns() + 1e3 * (double)nap_us;
        st_usleep((st_utime_t)nap_us);
        const long late_ns = (long)(wall_ns() - due);
        if (counting) {
            record_lateness(&late, late_ns);
            early += late_ns < 0;
        }
    }
    return NULL;
}

int main(int argc, char** argv) {
    const long sleepers = (long)argument(argc, argv, "--fibers", 10000);
    const double seconds = argument(argc, argv, "--seconds", 1);
    st_set_eventsys(ST_EVENTSYS_ALT);
    require(st_init() == 0, "st_init() has failed");
    for (long i = 0; i < sleepers; ++i) {
        require(st_thread_create(sleep_again_and_again, (void*)i, 0, 64 * 1024) != NULL,
                "there is no stack for a thread");
    }
    st_usleep(200000);  // all sleep, out of step
    counting = 1;
    const double cpu = cpu_ns();
    const double wall = wall_ns();
    st_usleep((st_utime_t)(1e6 * seconds));
    report_sleepers(&late, sleepers, early, cpu_ns() - cpu, wall_ns() - wall);
}
