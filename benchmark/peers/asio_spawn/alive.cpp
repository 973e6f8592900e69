// SPDX-License-Identifier: BSL-1.0
// Many coroutines alive at once: all are spawned, each runs until it waits at a gate, the gate
// opens, and all end. What is counted is one coroutine of such a round: the first of the process,
// or, with --warm 1, later ones, for which malloc() is told to keep the stacks' memory. No stack
// has a guard page.
#include "measure.h"
#include "no_strand.hpp"

#include <malloc.h>
#include <cstddef>

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 100'000));
    const auto stack = static_cast<std::size_t>(argument(argc, argv, "--stack", 64 * 1024));
    const bool warm = argument(argc, argv, "--warm", 0) != 0;
    const double seconds = argument(argc, argv, "--seconds", 1);
    asio::io_context context(1);
    double until_alive_ns = 0;
    std::size_t rounds = 0;
    const auto go_round = [&] {
        asio::steady_timer gate(context, asio::steady_timer::time_point::max());
        std::size_t passed = 0;
        const double start = cpu_ns();
        for (std::size_t i = 0; i < fibers; ++i) {
            spawn_on(
                context,
                [&](coroutine_context yield) {
                    boost::system::error_code cancelled;
                    gate.async_wait(yield[cancelled]);
                    ++passed;
                },
                stack);
        }
        context.poll();
        until_alive_ns += cpu_ns() - start;
        require(passed == 0, "a coroutine has passed the gate");
        require(gate.cancel() == fibers, "a coroutine does not wait at the gate");
        context.poll();
        require(passed == fibers, "a coroutine has not passed the gate");
        context.restart();
        ++rounds;
    };
    if (warm) {
        mallopt(M_TRIM_THRESHOLD, -1);
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
    report_checked("%zu rounds of %zu coroutines, each at the gate and past it", rounds, fibers);
}
