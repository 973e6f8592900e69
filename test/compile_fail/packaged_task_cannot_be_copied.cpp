// SPDX-License-Identifier: BSL-1.0
// Two copies of a task would give one future two results.
// expect: delete
#include <coir/packaged_task.hpp>

#include <utility>

void take(coir::packaged_task<int()> first) {
#ifdef CONTROL
    const coir::packaged_task<int()> second(std::move(first));
#else
    const coir::packaged_task<int()> second(first);
#endif
}
