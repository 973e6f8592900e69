// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace coir::test {

// Makes a call that takes a while in ten fibers of one thread, and another fiber looks on: it must
// have its turns meanwhile, and see more than one of them at it. Where a call holds the thread,
// there is never more than one. `call` is told its number.
template <class Call>
void check_overlap(Call call) {
    constexpr int callers = 10;
    int under_way = 0;
    int most_under_way = 0;
    int left = callers;
    coir::run([&] {
        std::vector<coir::fiber> fibers;
        for (int i = 0; i < callers; ++i) {
            fibers.emplace_back([&, i] {
                ++under_way;
                call(i);
                --under_way;
                --left;
            });
        }
        coir::fiber onlooker([&] {
            while (left > 0) {
                coir::this_fiber::sleep_for(std::chrono::milliseconds(1));
                most_under_way = std::max(most_under_way, under_way);
            }
        });
        for (coir::fiber& one : fibers) {
            one.join();
        }
        onlooker.join();
    });
    BOOST_TEST(most_under_way > 1);
}

}  // namespace coir::test
