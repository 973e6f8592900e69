// SPDX-License-Identifier: BSL-1.0
// Two fibers that pass a mutex to and fro: whenever it is unlocked the other one waits for it. What
// is counted is one change of hands. Whoever unlocks this mutex could lock it again before the
// other one runs, so each yields twice: with the mutex, until the other one waits, and without.
#include "measure.h"

#include <boost/fiber/all.hpp>

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    boost::fibers::mutex mutex;
    long turns = 0;
    bool stop = false;
    const auto take_turn = [&](long remainder) {
        mutex.lock();
        require(turns % 2 == remainder, "the mutex was not handed over");
        ++turns;
        boost::this_fiber::yield();
        mutex.unlock();
        boost::this_fiber::yield();
    };
    boost::fibers::fiber other([&] {
        while (!stop) {
            take_turn(1);
        }
    });
    constexpr long batch = 10'000;
    const auto take_turns = [&] {
        for (long i = 0; i < batch; ++i) {
            take_turn(0);
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
    other.join();
}
