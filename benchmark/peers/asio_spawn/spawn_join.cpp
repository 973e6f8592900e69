// SPDX-License-Identifier: BSL-1.0
// A coroutine that counts one and ends, spawned again and again. One that is spawned by another
// runs at once, and as it does not wait it has ended when spawn() returns: there is nothing to
// join.
#include "measure.h"
#include "no_strand.hpp"

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    asio::io_context context(1);
    spawn_on(context, [&](coroutine_context yield) {
        constexpr long batch = 1000;
        long ran = 0;
        const auto spawn = [&] {
            for (long i = 0; i < batch; ++i) {
                const long before = ran;
                asio::spawn(yield, [&ran](coroutine_context) { ++ran; });
                require(ran == before + 1, "a coroutine has not ended");
            }
        };
        spawn();
        long spawned = 0;
        window window = open_window(seconds);
        do {
            spawn();
            spawned += batch;
        } while (window_is_open(&window));
        report_each_ns(window.spent_ns, spawned);
        report_checked("%ld coroutines have run", ran);
    });
    context.run();
}
