// SPDX-License-Identifier: BSL-1.0
// Ping-pong between two threads on two cores by futex(2), both asleep whenever the other one runs.
// What is counted is the time of a round trip.
#include "measure.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static cpu_set_t cores;
static atomic_int turn;  // how many turns were taken: even, it is main's
static atomic_int stop;

static void wait_while(int value) {
    while (atomic_load(&turn) == value) {
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
    }
}

static void take_turn(void) {
    atomic_fetch_add(&turn, 1);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void* answer(void* unused) {
    pin_this_thread(&cores, 1);
    for (int seen = 0;; seen += 2) {
        wait_while(seen);
        if (stop) {
            return unused;
        }
        require(turn == seen + 1, "a turn is missing");
        take_turn();
    }
}

int main(int argc, char** argv) {
    const double length = 1e9 * argument(argc, argv, "--seconds", 1);
    sched_getaffinity(0, sizeof cores, &cores);
    pthread_t other;
    require(pthread_create(&other, NULL, answer, NULL) == 0, "there is no second thread");
    pin_this_thread(&cores, 0);
    int rounds = 0;
    double spent = 0;
    const double start = wall_ns();
    while ((spent = wall_ns() - start) < length) {
        take_turn();
        wait_while(2 * rounds + 1);
        ++rounds;
        require(turn == 2 * rounds, "an answer is missing");
    }
    stop = 1;
    take_turn();
    pthread_join(other, NULL);
    report_each_us(spent, rounds);
    report_checked("%d answers by another thread", rounds);
}
