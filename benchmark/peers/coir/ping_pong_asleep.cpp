// SPDX-License-Identifier: BSL-1.0
// Ping-pong between two carriers, each pinned to a core of its own and with nothing to do while the
// other one runs: it sleeps, or spins because it has lately been answered soon. What is counted is
// the time of a round trip.
#include "measure.h"

#include <coir/coir.hpp>

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
        bool stop = false;
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
            ping.release();
            pong.acquire();
            ++rounds;
            require(answers == rounds, "an answer is missing");
        }
        stop = true;
        ping.release();
        other.join();
        report_each_us(spent, rounds);
        report_checked("%ld answers by another thread", answers);
    });
}
