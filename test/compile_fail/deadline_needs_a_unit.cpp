// SPDX-License-Identifier: BSL-1.0
// A bare number has no unit.
// expect: no matching function for call to
#include <coir/this_fiber.hpp>

#include <chrono>

void sleep() {
#ifdef CONTROL
    coir::this_fiber::sleep_for(std::chrono::seconds(5));
#else
    coir::this_fiber::sleep_for(5);
#endif
}
