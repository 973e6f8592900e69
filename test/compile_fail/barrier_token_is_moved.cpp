// SPDX-License-Identifier: BSL-1.0
// An arrival is waited for once.
// expect: rvalue reference
#include <coir/sync/barrier.hpp>

#include <utility>

void arrive(coir::barrier<>& all) {
    auto arrival = all.arrive();
#ifdef CONTROL
    all.wait(std::move(arrival));
#else
    all.wait(arrival);
#endif
}
