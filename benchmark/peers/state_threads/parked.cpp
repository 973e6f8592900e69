// SPDX-License-Identifier: BSL-1.0
// A million threads that wait, each for itself and on a stack without a guard page: what they cost
// to spawn, in resident memory and in page tables, and what it takes to wake one. What they wait in
// is made before and not counted.
#include "measure.h"
#include "wake.hpp"

#include <st.h>
#include <cstddef>
#include <vector>

namespace {

std::size_t parked = 0;
std::size_t awaited = 0;
long wakes = 0;
st_cond_t has_come;

void* wait_again_and_again(void* mine) {
    for (++parked;; ++wakes) {
        if (parked == awaited) {
            st_cond_signal(has_come);
        }
        st_cond_wait(static_cast<st_cond_t>(mine));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 1'000'000));
    const int stack_bytes = static_cast<int>(argument(argc, argv, "--stack", 64 * 1024));
    require(st_init() == 0, "st_init() has failed");
    has_come = st_cond_new();
    std::vector<st_cond_t> conditions(fibers);
    for (st_cond_t& each : conditions) {
        each = st_cond_new();
    }
    const auto spawn_up_to = [&](std::size_t count) {
        awaited = count;
        for (std::size_t i = parked; i < count; ++i) {
            require(
                st_thread_create(wait_again_and_again, conditions[i], 0, stack_bytes) != nullptr,
                "there is no stack for a thread");
        }
        st_cond_wait(has_come);
        require(parked == count, "a thread has not come to wait");
    };
    const auto wake = [&](std::size_t number) {
        st_cond_signal(conditions[number]);
        st_cond_wait(has_come);
    };
    spawn_up_to(10);
    const double ten_ns = wake_each_again_and_again(10, wake);
    const parked_memory before = read_parked_memory();
    spawn_up_to(fibers);
    report_parked(before, fibers - 10);
    report_wakes(fibers, ten_ns, wake);
    require(wakes == wakes_asked_for, "a wake-up was lost");
    report_text("note", "no guard pages");
    report_checked("%ld wake-ups among %zu threads", wakes, parked);
    _exit(0);  // how long a million threads take to end is another question
}
