// SPDX-License-Identifier: BSL-1.0
// Ping-pong between two threads with an io_context each, pinned to a core of its own: each posts a
// function to the other. Neither sleeps, as a function posts itself all the time. What is counted
// is the time of a round trip.
#include "measure.h"

#include <atomic>
#include <boost/asio.hpp>
#include <functional>
#include <thread>

namespace asio = boost::asio;

int main(int argc, char** argv) {
    const double length = 1e9 * argument(argc, argv, "--seconds", 1);
    cpu_set_t cores;
    sched_getaffinity(0, sizeof cores, &cores);
    asio::io_context here(1);
    asio::io_context there(1);
    auto stay_here = asio::make_work_guard(here);
    auto stay_there = asio::make_work_guard(there);
    std::atomic<bool> stop = false;
    long answers = 0;
    long rounds = 0;
    double spent = 0;
    const double start = wall_ns();
    std::function<void()> ping;
    const std::function<void()> pong = [&] {
        ++answers;
        asio::post(here, std::ref(ping));
    };
    ping = [&] {
        require(answers == rounds, "an answer is missing");
        spent = wall_ns() - start;
        if (spent < length) {
            ++rounds;
            asio::post(there, std::ref(pong));
        } else {
            stop = true;
            stay_here.reset();
            stay_there.reset();
        }
    };
    const auto keep_awake = [&stop](asio::io_context& context) {
        std::function<void()> post_again = [&] {
            if (!stop.load(std::memory_order_relaxed)) {
                asio::post(context, std::ref(post_again));
            }
        };
        asio::post(context, std::ref(post_again));
        context.run();
    };
    std::thread other([&] {
        pin_this_thread(&cores, 1);
        keep_awake(there);
    });
    pin_this_thread(&cores, 0);
    asio::post(here, std::ref(ping));
    keep_awake(here);
    other.join();
    report_each_us(spent, rounds);
    report_checked("%ld answers by another thread", answers);
}
