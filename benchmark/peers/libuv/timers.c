// SPDX-License-Identifier: BSL-1.0
// Many timers, each of which is armed for 1 to 100 ms again when it has fired. What is counted is
// the processor time of one, and how late it was. libuv counts whole milliseconds from the last
// time that it read its clock, and so may be early: that counts as not late.
#include "lateness.h"

#include <uv.h>

struct sleeper {
    uv_timer_t timer;
    unsigned long random;
    double due_ns;
};

static struct lateness late;
static long early;
static int counting;

static void sleep_again(struct sleeper* self);

static void wake(uv_timer_t* timer) {
    struct sleeper* self = timer->data;
    if (counting) {
        const long late_ns = (long)(wall_ns() - self->due_ns);
        record_lateness(&late, late_ns);
        early += late_ns < 0;
    }
    sleep_again(self);
}

static void sleep_again(struct sleeper* self) {
    const long nap_ms = (next_nap_ns(&self->random) + 999999) / 1000000;
    self->due_ns = wall_ns() + 1e6 * (double)nap_ms;
    uv_timer_start(&self->timer, wake, (uint64_t)nap_ms, 0);
}

static void run_for(uv_loop_t* loop, double seconds) {
    const double end = wall_ns() + 1e9 * seconds;
    while (wall_ns() < end) {
        uv_run(loop, UV_RUN_ONCE);
    }
}

int main(int argc, char** argv) {
    const long sleepers = (long)argument(argc, argv, "--fibers", 10000);
    uv_loop_t* loop = uv_default_loop();
    struct sleeper* all = calloc((size_t)sleepers, sizeof *all);
    require(all != NULL, "there is no such memory");
    for (long i = 0; i < sleepers; ++i) {
        uv_timer_init(loop, &all[i].timer);
        all[i].timer.data = &all[i];
        all[i].random = (unsigned long)i;
        sleep_again(&all[i]);
    }
    run_for(loop, 0.2);
    counting = 1;
    const double cpu = cpu_ns();
    const double wall = wall_ns();
    run_for(loop, argument(argc, argv, "--seconds", 1));
    report_sleepers(&late, sleepers, early, cpu_ns() - cpu, wall_ns() - wall);
    free(all);
}
