// SPDX-License-Identifier: BSL-1.0
// A group's tasks end with one scope.
// expect: delete
#include <coir/task_group.hpp>

void take(coir::task_group& first) {
#ifdef CONTROL
    coir::task_group& second = first;
#else
    coir::task_group second(first);
#endif
    second.join();
}
