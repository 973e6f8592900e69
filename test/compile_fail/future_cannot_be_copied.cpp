// SPDX-License-Identifier: BSL-1.0
// Two copies of a future would fetch one result twice.
// expect: delete
#include <coir/async.hpp>

#include <utility>

void take(coir::future<int> first) {
#ifdef CONTROL
    const coir::future<int> second(std::move(first));
#else
    const coir::future<int> second(first);
#endif
}
