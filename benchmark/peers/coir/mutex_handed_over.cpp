// SPDX-License-Identifier: BSL-1.0
// Two fibers that pass a mutex to and fro: whenever it is unlocked the other one waits for it. What
// is counted is one change of hands. As unlock() hands the mutex over, the next lock() has to wait:
// but for the start, nobody has to yield to make that so.
#include "measure.h"

#include <coir/coir.hpp>

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    coir::run([&] {
        coir::mutex mutex;
        long turns = 0;
        bool stop = false;
        mutex.lock();
        coir::fiber other([&] {
            for (bool stopped = false; !stopped;) {
                mutex.lock();
                require(turns % 2 == 1, "the mutex was not handed over");
                ++turns;
                stopped = stop;
                mutex.unlock();
            }
        });
        coir::this_fiber::yield();  // until the other one waits
        constexpr long batch = 10'000;
        const auto take_turns = [&] {
            for (long i = 0; i < batch; ++i) {
                require(turns % 2 == 0, "the mutex was not handed over");
                ++turns;
                mutex.unlock();
                mutex.lock();
            }
        };
        take_turns();
        const long before = turns;
        window window = open_window(seconds);
        do {
            take_turns();
        } while (window_is_open(&window));
        report_each_ns(window.spent_ns, turns - before);
        report_checked("%ld turns, every other one by the same fiber", turns);
        stop = true;
        ++turns;
        mutex.unlock();
        other.join();
    });
}
