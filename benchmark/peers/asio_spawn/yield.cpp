// SPDX-License-Identifier: BSL-1.0
// A ring of stackful coroutines that do nothing but post themselves to the io_context, which is how
// a coroutine of Asio's yields. What is counted is the way from one to the next.
#include "measure.h"
#include "no_strand.hpp"

#include <cstddef>
#include <vector>

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 2));
    const double seconds = argument(argc, argv, "--seconds", 1);
    asio::io_context context(1);
    std::vector<long> turns(fibers, 0);
    bool stop = false;
    spawn_on(context, [&](coroutine_context yield) {
        const auto go_round = [&](std::size_t rounds) {
            for (std::size_t i = 0; i < rounds; ++i) {
                ++turns[0];
                asio::post(yield);
            }
        };
        const std::size_t batch = 100'000 / fibers + 1;
        asio::post(yield);  // the others start meanwhile
        go_round(batch);
        const long before = turns[0];
        window window = open_window(seconds);
        do {
            go_round(batch);
        } while (window_is_open(&window));
        const double switches =
            static_cast<double>(turns[0] - before) * static_cast<double>(fibers);
        stop = true;
        report_each_ns(window.spent_ns, switches);
    });
    for (std::size_t i = 1; i < fibers; ++i) {
        spawn_on(context, [&stop, &mine = turns[i]](coroutine_context yield) {
            while (!stop) {
                ++mine;
                asio::post(yield);
            }
        });
    }
    context.run();
    for (const long mine : turns) {
        require(mine >= turns[0] - 1 && mine <= turns[0] + 1, "a coroutine was passed over");
    }
    report_checked("%ld turns by each of %zu coroutines", turns[0], fibers);
}
