// SPDX-License-Identifier: BSL-1.0
// Many fibers alive at once: all are spawned, each runs until it waits at a gate, the gate opens,
// all end and are joined. What is counted is one fiber of such a round: the first of the process,
// or, with --warm 1, later ones. No stack has a guard page: of the protected ones there can be as
// many as half of vm.max_map_count, which is less than 100,000.
#include "measure.h"

#include <boost/fiber/all.hpp>
#include <cstddef>
#include <memory>
#include <vector>

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 100'000));
    const bool warm = argument(argc, argv, "--warm", 0) != 0;
    const double seconds = argument(argc, argv, "--seconds", 1);
    boost::fibers::pooled_fixedsize_stack stacks(
        static_cast<std::size_t>(argument(argc, argv, "--stack", 64 * 1024)));
    std::vector<boost::fibers::fiber> all(fibers);
    double until_alive_ns = 0;
    std::size_t rounds = 0;
    const auto go_round = [&] {
        boost::fibers::mutex mutex;
        boost::fibers::condition_variable gate;
        bool open = false;
        std::size_t passed = 0;
        const double start = cpu_ns();
        for (boost::fibers::fiber& each : all) {
            each = boost::fibers::fiber(std::allocator_arg, stacks, [&] {
                std::unique_lock lock(mutex);
                gate.wait(lock, [&open] { return open; });
                ++passed;
            });
        }
        boost::this_fiber::yield();
        until_alive_ns += cpu_ns() - start;
        require(passed == 0, "a fiber has passed the gate");
        open = true;
        gate.notify_all();
        for (boost::fibers::fiber& each : all) {
            each.join();
        }
        require(passed == fibers, "a fiber has not passed the gate");
        ++rounds;
    };
    if (warm) {
        go_round();
        go_round();
        until_alive_ns = 0;
        rounds = 0;
    }
    window window = open_window(warm ? seconds : 0);
    do {
        go_round();
    } while (window_is_open(&window));
    const auto counted = static_cast<double>(rounds * fibers);
    report_each_ns(window.spent_ns, counted);
    report_number("until_alive_ns", until_alive_ns / counted);
    report_text("note", "no guard pages");
    report_checked("%zu rounds of %zu fibers, each at the gate and past it", rounds, fibers);
}
