// SPDX-License-Identifier: BSL-1.0
// A deadline that does not fire, armed and cancelled while a million others are armed: a timer that
// is started and stopped.
#include "measure.h"

#include <uv.h>

static long fired;

static void fire(uv_timer_t* timer) {
    (void)timer;
    ++fired;
}

int main(int argc, char** argv) {
    const long armed = (long)argument(argc, argv, "--armed", 1000000);
    const double seconds = argument(argc, argv, "--seconds", 1);
    uv_loop_t* loop = uv_default_loop();
    uv_timer_t* others = calloc((size_t)armed, sizeof *others);
    require(others != NULL, "there is no such memory");
    for (long i = 0; i < armed; ++i) {
        uv_timer_init(loop, &others[i]);
        uv_timer_start(&others[i], fire, (uint64_t)(3600000 + 3 * i), 0);
    }
    uv_timer_t one;
    uv_timer_init(loop, &one);
    const long batch = 10000;
    long times = 0;
    struct window window = open_window(seconds);
    do {
        for (long i = 0; i < batch; ++i) {
            uv_timer_start(&one, fire, (uint64_t)(1800000 + i), 0);
            uv_timer_stop(&one);
        }
        uv_run(loop, UV_RUN_NOWAIT);
        times += batch;
    } while (window_is_open(&window));
    long still_armed = 0;
    for (long i = 0; i < armed; ++i) {
        still_armed += uv_is_active((uv_handle_t*)&others[i]) != 0;
    }
    require(fired == 0 && still_armed == armed, "a deadline has fired");
    report_each_ns(window.spent_ns, times);
    report_checked("%ld deadlines cancelled, and %ld armed", times, still_armed);
    free(others);
}
