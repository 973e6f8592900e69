// SPDX-License-Identifier: BSL-1.0
// A fiber that counts one and ends, spawned and joined, again and again, on stacks from a warm
// pool.
#include "measure.h"

#include <boost/fiber/all.hpp>
#include <memory>

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    constexpr long batch = 1000;
    boost::fibers::pooled_fixedsize_stack stacks(64 * 1024);
    long ran = 0;
    const auto spawn_and_join = [&] {
        for (long i = 0; i < batch; ++i) {
            boost::fibers::fiber each(std::allocator_arg, stacks, [&ran] { ++ran; });
            each.join();
        }
    };
    spawn_and_join();
    long spawned = 0;
    window window = open_window(seconds);
    do {
        spawn_and_join();
        spawned += batch;
    } while (window_is_open(&window));
    require(ran == spawned + batch, "a fiber did not run");
    report_each_ns(window.spent_ns, spawned);
    report_checked("%ld fibers have run", ran);
}
