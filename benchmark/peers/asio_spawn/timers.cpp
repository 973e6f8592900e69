// SPDX-License-Identifier: BSL-1.0
// Many coroutines, each of which sleeps 1 to 100 ms, again and again. What is counted is the
// processor time of one wake-up, and how late it was; none may be early.
#include "lateness.h"
#include "no_strand.hpp"

#include <chrono>

namespace {

using steady = std::chrono::steady_clock;

}  // namespace

int main(int argc, char** argv) {
    const auto sleepers = static_cast<long>(argument(argc, argv, "--fibers", 10'000));
    const std::chrono::duration<double> length(argument(argc, argv, "--seconds", 1));
    static lateness late;
    bool counting = false;
    bool stop = false;
    asio::io_context context(1);
    for (long i = 0; i < sleepers; ++i) {
        spawn_on(context,
                 [&, random = static_cast<unsigned long>(i)](coroutine_context yield) mutable {
                     asio::steady_timer timer(context);
                     steady::time_point now = steady::now();
                     while (!stop) {
                         const auto due = now + std::chrono::nanoseconds(next_nap_ns(&random));
                         timer.expires_at(due);
                         timer.async_wait(yield);
                         now = steady::now();
                         require(now >= due, "a coroutine woke early");
                         if (counting) {
                             record_lateness(&late, (now - due).count());
                         }
                     }
                 });
    }
    spawn_on(context, [&](coroutine_context yield) {
        asio::steady_timer timer(context, std::chrono::milliseconds(200));
        timer.async_wait(yield);  // all sleep, out of step
        counting = true;
        const double cpu = cpu_ns();
        const double wall = wall_ns();
        timer.expires_after(std::chrono::duration_cast<steady::duration>(length));
        timer.async_wait(yield);
        report_sleepers(&late, sleepers, 0, cpu_ns() - cpu, wall_ns() - wall);
        stop = true;
    });
    context.run();
}
