// SPDX-License-Identifier: BSL-1.0
// Ping-pong between two threads that spin on two cores. What is counted is the time of a round
// trip: a cache line that goes to and fro.
#include "measure.h"

#include <pthread.h>
#include <stdatomic.h>

static cpu_set_t cores;
static atomic_long turn;  // how many turns were taken: even, it is main's

static void* answer(void* unused) {
    pin_this_thread(&cores, 1);
    for (long seen = 0;; seen += 2) {
        long now = 0;
        while ((now = atomic_load_explicit(&turn, memory_order_acquire)) == seen) {
        }
        if (now < 0) {
            return unused;
        }
        require(now == seen + 1, "a turn is missing");
        atomic_store_explicit(&turn, seen + 2, memory_order_release);
    }
}

int main(int argc, char** argv) {
    const double length = 1e9 * argument(argc, argv, "--seconds", 1);
    sched_getaffinity(0, sizeof cores, &cores);
    pthread_t other;
    require(pthread_create(&other, NULL, answer, NULL) == 0, "there is no second thread");
    pin_this_thread(&cores, 0);
    long rounds = 0;
    double spent = 0;
    const double start = wall_ns();
    while ((spent = wall_ns() - start) < length) {
        for (int i = 0; i < 100; ++i, ++rounds) {
            atomic_store_explicit(&turn, 2 * rounds + 1, memory_order_release);
            while (atomic_load_explicit(&turn, memory_order_acquire) != 2 * rounds + 2) {
            }
        }
    }
    atomic_store(&turn, -1);
    pthread_join(other, NULL);
    report_each_us(spent, rounds);
    report_checked("%ld answers by another thread", rounds);
}
