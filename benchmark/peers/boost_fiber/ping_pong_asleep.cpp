// SPDX-License-Identifier: BSL-1.0
// Ping-pong between fibers of two threads, each pinned to a core of its own and asleep whenever the
// other one runs. What is counted is the time of a round trip: two wake-ups across threads.
#include "measure.h"

#include <boost/fiber/all.hpp>
#include <thread>

int main(int argc, char** argv) {
    const double length = 1e9 * argument(argc, argv, "--seconds", 1);
    cpu_set_t cores;
    sched_getaffinity(0, sizeof cores, &cores);
    boost::fibers::buffered_channel<long> pings(2);
    boost::fibers::buffered_channel<long> pongs(2);
    std::thread other([&] {
        pin_this_thread(&cores, 1);
        boost::fibers::fiber([&] {
            for (const long ping : pings) {
                pongs.push(ping + 1);
            }
        }).join();
    });
    pin_this_thread(&cores, 0);
    long rounds = 0;
    const double start = wall_ns();
    double spent = 0;
    while ((spent = wall_ns() - start) < length) {
        pings.push(rounds++);
        require(pongs.value_pop() == rounds, "an answer is wrong");
    }
    pings.close();
    other.join();
    report_each_us(spent, rounds);
    report_checked("%ld answers by another thread", rounds);
}
