// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/fiber_test.hpp"

#include <coir/fiber.hpp>

#include <deque>
#include <thread>

namespace coir::test {

// Calls body(number) by four fibers each of two carriers that know nothing of each other, and by a
// plain thread: those who may share a primitive. The numbers are 0 to 8. Returns when all have.
constexpr int participants = 9;

template <class Body>
void on_two_carriers_and_a_thread(Body body) {
    constexpr int fibers_each = 4;
    const auto carrier = [&](int first) {
        run_in_fiber_world([&] {
            std::deque<fiber> fibers;
            for (int i = first; i < first + fibers_each; ++i) {
                fibers.emplace_back([&, i] { body(i); });
            }
            for (fiber& f : fibers) {
                f.join();
            }
        });
    };
    std::thread one(carrier, 0);
    std::thread other(carrier, fibers_each);
    body(2 * fibers_each);
    one.join();
    other.join();
}

}  // namespace coir::test
