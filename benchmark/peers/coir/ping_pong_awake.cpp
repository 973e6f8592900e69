// SPDX-License-Identifier: BSL-1.0
// Ping-pong between two carriers that do not sleep: on each, a second fiber yields all the time.
// What is counted is the time of a round trip.
#include "measure.h"

#include <coir/coir.hpp>

#include <atomic>

int main(int argc, char** argv) {
    const double length = 1e9 * argument(argc, argv, "--seconds", 1);
    cpu_set_t cores;
    sched_getaffinity(0, sizeof cores, &cores);
    coir::run_options options;
    options.threads = 2;
    coir::run(options, [&] {
        coir::binary_semaphore ping(0);
        coir::binary_semaphore pong(0);
        long answers = 0;
        std::atomic<bool> stop = false;
        const auto yield_until_told = [&stop] {
            while (!stop.load(std::memory_order_relaxed)) {
                coir::this_fiber::yield();
            }
        };
        coir::fiber busy_there(coir::fiber_options("busy").on(1), yield_until_told);
        coir::fiber busy_here(coir::fiber_options("busy").on(0), yield_until_told);
        coir::fiber other(coir::fiber_options("other").on(1), [&] {
            pin_this_thread(&cores, 1);
            for (;;) {
                ping.acquire();
                if (stop) {
                    return;
                }
                ++answers;
                pong.release();
            }
        });
        pin_this_thread(&cores, 0);
        long rounds = 0;
        const double start = wall_ns();
        double spent = 0;
        while ((spent = wall_ns() - start) < length) {
            for (int i = 0; i < 100; ++i) {
                ping.release();
                pong.acquire();
                ++rounds;
                require(answers == rounds, "an answer is missing");
            }
        }
        stop = true;
        ping.release();
        other.join();
        report_each_us(spent, rounds);
        report_checked("%ld answers by another thread", answers);
    });
}
