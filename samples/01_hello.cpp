// SPDX-License-Identifier: BSL-1.0
// The smallest program: greet, sleep for a second, greet again.
//
// run() makes the calling thread a carrier of fibers and calls the lambda as its main fiber. The
// sleep parks that fiber and not the thread: were there other fibers, they would run meanwhile, as
// the next sample shows.
#include <chrono>
#include <coir/coir.hpp>
#include <iostream>

using namespace std::chrono_literals;

int main() {
    coir::run([] {
        std::cout << "Hello" << std::endl;
        coir::this_fiber::sleep_for(1s);
        std::cout << "... and hello again" << std::endl;
    });
}
