// SPDX-License-Identifier: BSL-1.0
// A fiber has one handle, which joins it.
// expect: delete
#include <coir/fiber.hpp>

#include <utility>

void take(coir::fiber first) {
#ifdef CONTROL
    const coir::fiber second(std::move(first));
#else
    const coir::fiber second(first);
#endif
}
