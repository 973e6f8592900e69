// SPDX-License-Identifier: BSL-1.0
// A callable that cannot be called with the arguments is refused where the fiber is made, and not
// somewhere inside the library.
// expect: no matching
#include <coir/fiber.hpp>

void take_number(int) {}

void spawn() {
#ifdef CONTROL
    coir::fiber f(take_number, 1);
#else
    coir::fiber f(take_number, "text");
#endif
}
