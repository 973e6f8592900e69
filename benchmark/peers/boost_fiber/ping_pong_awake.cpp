// SPDX-License-Identifier: BSL-1.0
// Ping-pong between fibers of two threads that do not sleep: on each, a second fiber yields all the
// time. What is counted is the time of a round trip.
#include "measure.h"

#include <atomic>
#include <boost/fiber/all.hpp>
#include <thread>

int main(int argc, char** argv) {
    const double length = 1e9 * argument(argc, argv, "--seconds", 1);
    cpu_set_t cores;
    sched_getaffinity(0, sizeof cores, &cores);
    boost::fibers::buffered_channel<long> pings(2);
    boost::fibers::buffered_channel<long> pongs(2);
    std::atomic<bool> stop = false;
    const auto yield_until_told = [&stop] {
        while (!stop.load(std::memory_order_relaxed)) {
            boost::this_fiber::yield();
        }
    };
    std::thread other([&] {
        pin_this_thread(&cores, 1);
        boost::fibers::fiber busy(yield_until_told);
        boost::fibers::fiber([&] {
            for (const long ping : pings) {
                pongs.push(ping + 1);
            }
        }).join();
        busy.join();
    });
    pin_this_thread(&cores, 0);
    boost::fibers::fiber busy(yield_until_told);
    long rounds = 0;
    const double start = wall_ns();
    double spent = 0;
    while ((spent = wall_ns() - start) < length) {
        for (int i = 0; i < 100; ++i) {
            pings.push(rounds++);
            require(pongs.value_pop() == rounds, "an answer is wrong");
        }
    }
    stop = true;
    pings.close();
    other.join();
    busy.join();
    report_each_us(spent, rounds);
    report_checked("%ld answers by another thread", rounds);
}
