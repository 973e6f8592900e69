// SPDX-License-Identifier: BSL-1.0
// Nobody could be told of an exception of the completion function.
// expect: noexcept
#include <coir/sync/barrier.hpp>

struct completion {
#ifdef CONTROL
    void operator()() const noexcept {}
#else
    void operator()() const {}
#endif
};

void arrive() {
    coir::barrier<completion> all(2);
    all.arrive_and_wait();
}
