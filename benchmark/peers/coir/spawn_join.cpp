// SPDX-License-Identifier: BSL-1.0
// A fiber that counts one and ends, spawned and joined: again and again, so that pools are warm.
#include "measure.h"

#include <coir/coir.hpp>

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    coir::run([&] {
        constexpr long batch = 1000;
        long ran = 0;
        const auto spawn_and_join = [&ran] {
            for (long i = 0; i < batch; ++i) {
                coir::fiber each([&ran] { ++ran; });
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
    });
}
