// SPDX-License-Identifier: BSL-1.0
// Calls libc, which parks fibers if coir::hook is linked as it should be.
#include <coir/coir.hpp>
#include <coir/hook/hook.hpp>

#include <unistd.h>
#include <chrono>
#include <iostream>

int main() {
    for (const std::string& finding : coir::hook::self_check()) {
        std::cout << finding << '\n';
    }
    const auto begun = std::chrono::steady_clock::now();
    coir::run([] {
        coir::task_group group;
        for (int i = 0; i < 20; ++i) {
            group.spawn([] { ::usleep(200'000); });
        }
        group.join();
    });
    const auto taken = std::chrono::steady_clock::now() - begun;
    std::cout << (taken < std::chrono::seconds(2) ? "libc parked fibers" : "libc blocked") << '\n';
}
