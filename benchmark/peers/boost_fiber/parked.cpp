// SPDX-License-Identifier: BSL-1.0
// A million fibers that wait, each for itself and on a stack without a guard page: what they cost
// to spawn, in resident memory and in page tables, and what it takes to wake one. What they wait in
// is made before and not counted.
#include "measure.h"
#include "wake.hpp"

#include <boost/fiber/all.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 1'000'000));
    boost::fibers::fixedsize_stack stacks(
        static_cast<std::size_t>(argument(argc, argv, "--stack", 64 * 1024)));
    boost::fibers::mutex mutex;
    std::vector<boost::fibers::condition_variable> conditions(fibers);
    std::size_t parked = 0;
    long wakes = 0;
    const auto spawn_up_to = [&](std::size_t count) {
        for (std::size_t i = parked; i < count; ++i) {
            boost::fibers::fiber(std::allocator_arg, stacks,
                                 [&parked, &wakes, &mutex, &mine = conditions[i]] {
                                     std::unique_lock lock(mutex);
                                     for (++parked;; ++wakes) {
                                         mine.wait(lock);
                                     }
                                 })
                .detach();
        }
        boost::this_fiber::yield();
        require(parked == count, "a fiber has not come to wait");
    };
    const auto wake = [&](std::size_t number) {
        conditions[number].notify_one();
        boost::this_fiber::yield();
    };
    spawn_up_to(10);
    const double ten_ns = wake_each_again_and_again(10, wake);
    const parked_memory before = read_parked_memory();
    spawn_up_to(fibers);
    report_parked(before, fibers - 10);
    report_wakes(fibers, ten_ns, wake);
    require(wakes == wakes_asked_for, "a wake-up was lost");
    report_text("note", "no guard pages");
    report_checked("%ld wake-ups among %zu fibers", wakes, parked);
    _exit(0);  // how long a million fibers take to end is another question
}
