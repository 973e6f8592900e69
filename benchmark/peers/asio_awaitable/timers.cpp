// SPDX-License-Identifier: BSL-1.0
// Many coroutines, each of which sleeps 1 to 100 ms, again and again. What is counted is the
// processor time of one wake-up, and how late it was; none may be early.
#include "lateness.h"

#include <boost/asio.hpp>
#include <chrono>

namespace asio = boost::asio;

namespace {

using steady = std::chrono::steady_clock;

lateness late;
bool counting = false;
bool stop = false;

asio::awaitable<void> sleep_again_and_again(unsigned long random) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    steady::time_point now = steady::now();
    while (!stop) {
        const auto due = now + std::chrono::nanoseconds(next_nap_ns(&random));
        timer.expires_at(due);
        co_await timer.async_wait(asio::use_awaitable);
        now = steady::now();
        require(now >= due, "a coroutine woke early");
        if (counting) {
            record_lateness(&late, (now - due).count());
        }
    }
}

asio::awaitable<void> measure(long sleepers, steady::duration length) {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(200));
    co_await timer.async_wait(asio::use_awaitable);  // all sleep, out of step
    counting = true;
    const double cpu = cpu_ns();
    const double wall = wall_ns();
    timer.expires_after(length);
    co_await timer.async_wait(asio::use_awaitable);
    report_sleepers(&late, sleepers, 0, cpu_ns() - cpu, wall_ns() - wall);
    stop = true;
}

}  // namespace

int main(int argc, char** argv) {
    const auto sleepers = static_cast<long>(argument(argc, argv, "--fibers", 10'000));
    const std::chrono::duration<double> length(argument(argc, argv, "--seconds", 1));
    asio::io_context context(1);
    for (long i = 0; i < sleepers; ++i) {
        asio::co_spawn(context, sleep_again_and_again(static_cast<unsigned long>(i)),
                       asio::detached);
    }
    asio::co_spawn(context, measure(sleepers, std::chrono::duration_cast<steady::duration>(length)),
                   asio::detached);
    context.run();
}
