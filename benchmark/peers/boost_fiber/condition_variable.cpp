// SPDX-License-Identifier: BSL-1.0
// Two fibers that wake each other by a condition variable, and wait for their turn under its mutex.
// What is counted is one hand-over: a notification, a wait, and a switch.
#include "measure.h"

#include <boost/fiber/all.hpp>

#include <mutex>

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);

    boost::fibers::mutex mutex;
    boost::fibers::condition_variable changed;
    long turn = 0;
    bool stop = false;
    boost::fibers::fiber other([&] {
        std::unique_lock lock(mutex);
        while (!stop) {
            while (turn % 2 == 0 && !stop) {
                changed.wait(lock);
            }
            ++turn;
            changed.notify_one();
        }
    });
    constexpr long batch = 10'000;
    std::unique_lock lock(mutex);
    const auto take_turns = [&] {
        for (long i = 0; i < batch; ++i) {
            ++turn;
            changed.notify_one();
            while (turn % 2 == 1) {
                changed.wait(lock);
            }
        }
    };
    take_turns();
    const long before = turn;
    window window = open_window(seconds);
    do {
        take_turns();
    } while (window_is_open(&window));
    const long turns = turn - before;
    stop = true;
    changed.notify_one();
    lock.unlock();
    other.join();
    require(turns % (2 * batch) == 0, "a turn was lost");
    report_each_ns(window.spent_ns, turns);
    report_checked("%ld turns, every other one by the same fiber", turns);
}
