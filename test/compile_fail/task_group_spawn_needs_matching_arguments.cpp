// SPDX-License-Identifier: BSL-1.0
// A callable that cannot be called with the arguments is refused at the call, and not somewhere
// inside the library.
// expect: no matching
#include <coir/task_group.hpp>

void take_number(int) {}

void spawn(coir::task_group& group) {
#ifdef CONTROL
    group.spawn(take_number, 1);
#else
    group.spawn(take_number, "text");
#endif
}
