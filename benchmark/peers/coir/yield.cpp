// SPDX-License-Identifier: BSL-1.0
// A ring of fibers that do nothing but yield. What is counted is one switch from a fiber to the
// next; each fiber counts its turns, so that none can have been passed over.
#include "measure.h"

#include <coir/coir.hpp>

#include <cstddef>
#include <vector>

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 2));
    const double seconds = argument(argc, argv, "--seconds", 1);
    coir::run([&] {
        std::vector<long> turns(fibers, 0);
        std::vector<coir::fiber> others;
        bool stop = false;
        for (std::size_t i = 1; i < fibers; ++i) {
            others.emplace_back([&stop, &mine = turns[i]] {
                while (!stop) {
                    ++mine;
                    coir::this_fiber::yield();
                }
            });
        }
        const auto go_round = [&](std::size_t rounds) {
            for (std::size_t i = 0; i < rounds; ++i) {
                ++turns[0];
                coir::this_fiber::yield();
            }
        };
        const std::size_t batch = 100'000 / fibers + 1;
        go_round(batch);
        const long before = turns[0];
        window window = open_window(seconds);
        do {
            go_round(batch);
        } while (window_is_open(&window));
        const double switches =
            static_cast<double>(turns[0] - before) * static_cast<double>(fibers);
        stop = true;
        for (coir::fiber& each : others) {
            each.join();
        }
        for (const long mine : turns) {
            require(mine >= turns[0] - 1 && mine <= turns[0] + 1, "a fiber was passed over");
        }
        report_each_ns(window.spent_ns, switches);
        report_checked("%ld turns by each of %zu fibers", turns[0], fibers);
    });
}
