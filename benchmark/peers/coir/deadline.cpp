// SPDX-License-Identifier: BSL-1.0
// A deadline that does not fire, armed and cancelled while a million others are armed: a timeout
// around a call that is done at once, in a process where so many fibers sleep. What is counted is
// all of it: the clock, the scope, the timer.
#include "measure.h"

#include <coir/coir.hpp>

#include <chrono>

int main(int argc, char** argv) {
    using namespace std::chrono_literals;
    const auto armed = static_cast<long>(argument(argc, argv, "--armed", 1'000'000));
    const double seconds = argument(argc, argv, "--seconds", 1);
    coir::run_options options;
    options.stack_size = 64 * 1024;
    coir::run(options, [&] {
        long fired = 0;
        long asleep = 0;
        for (long i = 0; i < armed; ++i) {
            coir::fiber([&, i] {
                ++asleep;
                coir::this_fiber::sleep_for(1h + i * 3ms);
                ++fired;
            }).detach();
        }
        coir::this_fiber::yield();
        require(asleep == armed, "a fiber does not sleep");
        constexpr long batch = 10'000;
        long called = 0;
        const auto call = [&] {
            for (long i = 0; i < batch; ++i) {
                coir::with_timeout(30min + i * 1ms, [&called] { ++called; });
            }
        };
        call();
        long calls = 0;
        window window = open_window(seconds);
        do {
            call();
            calls += batch;
        } while (window_is_open(&window));
        require(called == calls + batch && fired == 0, "a deadline has fired");
        report_each_ns(window.spent_ns, calls);
        report_checked("%ld calls in time, and %ld fibers asleep", called, asleep - fired);
        _exit(0);  // how long a million fibers take to end is another question
    });
}
