// SPDX-License-Identifier: BSL-1.0
// Many fibers, each of which sleeps 1 to 100 ms, again and again. What is counted is the processor
// time of one wake-up, and how late it was; none may be early.
#include "lateness.h"

#include <coir/coir.hpp>

#include <chrono>

namespace {

using steady = std::chrono::steady_clock;

}  // namespace

int main(int argc, char** argv) {
    const auto sleepers = static_cast<long>(argument(argc, argv, "--fibers", 10'000));
    const std::chrono::duration<double> length(argument(argc, argv, "--seconds", 1));
    coir::run([&] {
        static lateness late;
        bool counting = false;
        bool stop = false;
        coir::task_group group;
        for (long i = 0; i < sleepers; ++i) {
            group.spawn([&, random = static_cast<unsigned long>(i)]() mutable {
                steady::time_point now = steady::now();
                while (!stop) {
                    const auto due = now + std::chrono::nanoseconds(next_nap_ns(&random));
                    coir::this_fiber::sleep_until(due);
                    now = steady::now();
                    require(now >= due, "a fiber woke early");
                    if (counting) {
                        record_lateness(&late, (now - due).count());
                    }
                }
            });
        }
        coir::this_fiber::sleep_for(std::chrono::milliseconds(200));  // all sleep, out of step
        counting = true;
        const double cpu = cpu_ns();
        const double wall = wall_ns();
        coir::this_fiber::sleep_for(length);
        report_sleepers(&late, sleepers, 0, cpu_ns() - cpu, wall_ns() - wall);
        stop = true;
        group.join();
    });
}
