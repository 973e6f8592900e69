// SPDX-License-Identifier: BSL-1.0
// A mutex that nobody else wants. What is counted is one lock and its unlock.
#include "measure.h"

#include <coir/coir.hpp>

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    coir::run([&] {
        constexpr long batch = 100'000;
        coir::mutex mutex;
        volatile long guarded = 0;
        const auto lock_and_unlock = [&] {
            for (long i = 0; i < batch; ++i) {
                mutex.lock();
                guarded = guarded + 1;
                mutex.unlock();
            }
        };
        lock_and_unlock();
        window window = open_window(seconds);
        do {
            lock_and_unlock();
        } while (window_is_open(&window));
        require(mutex.try_lock(), "the mutex is still locked");
        mutex.unlock();
        report_each_ns(window.spent_ns, guarded - batch);
        report_checked("%ld times locked, and free at the end", guarded);
    });
}
