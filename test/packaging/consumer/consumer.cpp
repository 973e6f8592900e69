// SPDX-License-Identifier: BSL-1.0
// The least that a user does: a fiber that sleeps, awaited.
#include <chrono>
#include <coir/coir.hpp>
#include <iostream>

static_assert(__cplusplus == 201703L, "consumers need no more than C++17");

int main() {
    using namespace std::chrono_literals;
    coir::run([] {
        coir::fiber sleeper([] {
            coir::this_fiber::sleep_for(1ms);
            std::cout << "a fiber slept\n";
        });
        sleeper.join();
    });
}
