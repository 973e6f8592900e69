// SPDX-License-Identifier: BSL-1.0
// Tasks that belong together: if one fails, the others are cancelled, and who waits for the group
// gets the exception once all of them have stopped. Nothing goes on in the background.
#include <chrono>
#include <coir/coir.hpp>
#include <exception>
#include <iostream>
#include <stdexcept>

using namespace std::chrono_literals;

int quick() {
    coir::this_fiber::sleep_for(10ms);
    std::cout << "quick: done" << std::endl;
    return 1;
}

int broken() {
    coir::this_fiber::sleep_for(30ms);
    std::cout << "broken: fails" << std::endl;
    throw std::runtime_error("the disk is full");
}

int slow() {
    struct farewell {
        ~farewell() { std::cout << "slow: stops" << std::endl; }
    } const at_the_end;  // destructors run as for any other exception
    coir::this_fiber::sleep_for(24h);
    return 3;
}

int main() {
    coir::run([] {
        coir::task_group group;
        auto first = group.spawn(quick);
        auto second = group.spawn(broken);
        auto third = group.spawn(slow);
        try {
            group.join();
        } catch (const std::runtime_error& error) {
            std::cout << "the group failed: " << error.what() << std::endl;
        }
        // Each task's own outcome is still to be had.
        std::cout << "quick: " << first.get() << std::endl;
        try {
            third.get();
        } catch (const coir::task_cancelled&) {
            std::cout << "slow: was cancelled" << std::endl;
        }
    });
}
