// SPDX-License-Identifier: BSL-1.0
// A ring of fibers that do nothing but yield, all by one function. What is counted is one switch
// from a fiber to the next; each fiber counts its turns, so that none can have been passed over.
#include "measure.h"

#include <coir/coir.hpp>

#include <cstddef>
#include <vector>

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 2));
    const double seconds = argument(argc, argv, "--seconds", 1);
    coir::run([&] {
        std::vector<long> turns(fibers, 0);
        bool stop = false;
        const long batch = 100'000 / static_cast<long>(fibers) + 1;
        long until_look =
            batch;  // how many rounds the first fiber goes until it looks at the clock
        long before = 0;
        window window{};
        const auto look = [&] {
            until_look = batch;
            if (before == 0) {
                before = turns[0];
                window = open_window(seconds);
            } else {
                stop = !window_is_open(&window);
            }
        };
        const auto go_round = [&](std::size_t number) {
            while (!stop) {
                ++turns[number];
                if (number == 0 && --until_look == 0) {
                    look();
                }
                coir::this_fiber::yield();
            }
        };
        std::vector<coir::fiber> ring;
        for (std::size_t i = 0; i < fibers; ++i) {
            ring.emplace_back(go_round, i);
        }
        for (coir::fiber& each : ring) {
            each.join();
        }
        for (const long mine : turns) {
            require(mine >= turns[0] - 1 && mine <= turns[0] + 1, "a fiber was passed over");
        }
        report_each_ns(window.spent_ns,
                       static_cast<double>(turns[0] - before) * static_cast<double>(fibers));
        report_checked("%ld turns by each of %zu fibers", turns[0], fibers);
    });
}
