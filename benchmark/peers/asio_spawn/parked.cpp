// SPDX-License-Identifier: BSL-1.0
// A million coroutines that wait, each for a timer of its own and on a stack without a guard page:
// what they cost to spawn, in resident memory and in page tables, and what it takes to wake one.
// The timers are made before and not counted.
#include "measure.h"
#include "no_strand.hpp"
#include "wake.hpp"

#include <cstddef>
#include <vector>

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 1'000'000));
    const auto stack = static_cast<std::size_t>(argument(argc, argv, "--stack", 64 * 1024));
    asio::io_context context(1);
    std::vector<asio::steady_timer> timers;
    timers.reserve(fibers);
    for (std::size_t i = 0; i < fibers; ++i) {
        timers.emplace_back(context, asio::steady_timer::time_point::max());
    }
    std::size_t parked = 0;
    long wakes = 0;
    const auto spawn_up_to = [&](std::size_t count) {
        for (std::size_t i = parked; i < count; ++i) {
            spawn_on(
                context,
                [&parked, &wakes, &mine = timers[i]](coroutine_context yield) {
                    for (++parked;; ++wakes) {
                        boost::system::error_code cancelled;
                        mine.async_wait(yield[cancelled]);
                    }
                },
                stack);
        }
        context.poll();
        require(parked == count, "a coroutine has not come to wait");
    };
    const auto wake = [&](std::size_t number) {
        timers[number].cancel();
        context.poll();
    };
    spawn_up_to(10);
    const double ten_ns = wake_each_again_and_again(10, wake);
    const parked_memory before = read_parked_memory();
    spawn_up_to(fibers);
    report_parked(before, fibers - 10);
    report_wakes(fibers, ten_ns, wake);
    require(wakes == wakes_asked_for, "a wake-up was lost");
    report_text("note", "no guard pages");
    report_checked("%ld wake-ups among %zu coroutines", wakes, parked);
    _exit(0);  // how long a million coroutines take to end is another question
}
