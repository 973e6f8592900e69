// SPDX-License-Identifier: BSL-1.0
// Time: arming and cancelling a deadline that does not fire, with many others armed; and fibers
// that sleep in a loop, with how late they wake.
#include "time/timer_queue.hpp"

#include <coir/coir.hpp>

#include <benchmark/benchmark.h>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <deque>
#include <random>
#include <stdexcept>
#include <vector>

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

struct idle_timer : coir::detail::timer {
    idle_timer() noexcept : timer([](timer&) noexcept {}) {}
};

void arm_and_cancel(benchmark::State& state) {
    const steady::time_point now = steady::now();
    coir::detail::timer_queue queue(now);
    std::mt19937_64 random(1);
    std::uniform_int_distribution<std::int64_t> within(1, 60'000'000'000);
    std::deque<idle_timer> others(static_cast<std::size_t>(state.range(0)));
    for (idle_timer& each : others) {
        queue.arm(each, now + std::chrono::nanoseconds(within(random)));
    }
    std::vector<steady::time_point> deadlines(4096);
    for (steady::time_point& each : deadlines) {
        each = now + std::chrono::nanoseconds(within(random));
    }
    idle_timer one;
    std::size_t next = 0;
    for (auto _ : state) {
        queue.arm(one, deadlines[next++ % deadlines.size()]);
        queue.cancel(one);
    }
    if (queue.size() != others.size()) {
        throw std::logic_error("the queue has lost count");
    }
    for (idle_timer& each : others) {
        queue.cancel(each);
    }
}
BENCHMARK(arm_and_cancel)->Arg(0)->Arg(1000)->Arg(1'000'000);

// The whole of what a program pays for a timeout: the clock, the scope, the timer.
void with_timeout(benchmark::State& state) {
    coir::run([&] {
        for (auto _ : state) {
            coir::with_timeout(1h, [] { benchmark::ClobberMemory(); });
        }
    });
}
BENCHMARK(with_timeout);

std::int64_t cpu_nanoseconds() {
    timespec spent{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return spent.tv_sec * 1'000'000'000 + spent.tv_nsec;
}

// Each of `range` fibers sleeps 1 to 100 ms, again and again, for two seconds.
void sleepers(benchmark::State& state) {
    std::vector<std::int64_t> late;
    std::int64_t cpu = 0;
    for (auto _ : state) {
        coir::run([&] {
            late.clear();
            const std::int64_t before = cpu_nanoseconds();
            const steady::time_point end = steady::now() + 2s;
            std::mt19937 seeds(1);
            coir::task_group group;
            for (std::int64_t i = 0; i < state.range(0); ++i) {
                group.spawn([&late, end, seed = seeds()] {
                    std::minstd_rand random(seed);
                    std::uniform_int_distribution<std::int64_t> nap(1'000'000, 100'000'000);
                    for (steady::time_point now = steady::now(); now < end;) {
                        const steady::time_point due = now + std::chrono::nanoseconds(nap(random));
                        coir::this_fiber::sleep_until(due);
                        now = steady::now();
                        if (now < due) {
                            throw std::logic_error("woken early");
                        }
                        late.push_back((now - due).count());
                    }
                });
            }
            group.join();
            cpu = cpu_nanoseconds() - before;
        });
    }
    std::sort(late.begin(), late.end());
    const auto wakes = static_cast<double>(late.size());
    state.counters["wakes_per_s"] = wakes / 2;
    state.counters["cpu_ns_per_wake"] = static_cast<double>(cpu) / wakes;
    state.counters["late_p50_us"] = static_cast<double>(late[late.size() / 2]) / 1e3;
    state.counters["late_p99_us"] = static_cast<double>(late[late.size() * 99 / 100]) / 1e3;
}
BENCHMARK(sleepers)->Arg(1000)->Arg(10'000)->Arg(100'000)->Iterations(1)->Unit(
    benchmark::kMillisecond);

}  // namespace
