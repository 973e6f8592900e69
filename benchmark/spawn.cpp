// SPDX-License-Identifier: BSL-1.0
// The life of a fiber: spawned and joined on warm pools, many alive at once, and a task's result.
#include <coir/coir.hpp>

#include <benchmark/benchmark.h>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace {

void require(std::int64_t counted, std::int64_t expected) {
    if (counted != expected) {
        throw std::logic_error("a fiber did not run, or ran twice");
    }
}

void spawn_and_join(benchmark::State& state) {
    coir::run([&] {
        std::int64_t ran = 0;
        for (auto _ : state) {
            coir::fiber each([&ran] { ++ran; });
            each.join();
        }
        require(ran, state.iterations());
    });
}
BENCHMARK(spawn_and_join);

void async_and_get(benchmark::State& state) {
    coir::run([&] {
        std::int64_t sum = 0;
        for (auto _ : state) {
            sum += coir::async([] { return 1; }).get();
        }
        require(sum, state.iterations());
    });
}
BENCHMARK(async_and_get);

// So many fibers, each of which has run and waits before the first goes on; the time of one. Cold,
// each round maps their stacks anew; warm, it finds them in the pool.
void alive_at_once(benchmark::State& state, bool cold) {
    const auto fibers = state.range(0);
    const auto round = [&] {
        coir::wait_queue gate;
        std::int64_t ran = 0;
        std::vector<coir::fiber> all;
        all.reserve(static_cast<std::size_t>(fibers));
        for (std::int64_t i = 0; i < fibers; ++i) {
            all.emplace_back([&] {
                gate.park();
                ++ran;
            });
        }
        coir::this_fiber::yield();
        gate.unpark_all();
        for (coir::fiber& each : all) {
            each.join();
        }
        require(ran, fibers);
    };
    if (cold) {
        while (state.KeepRunningBatch(fibers)) {
            coir::run(round);
        }
    } else {
        coir::run([&] {
            round();
            while (state.KeepRunningBatch(fibers)) {
                round();
            }
        });
    }
}
BENCHMARK_CAPTURE(alive_at_once, cold, true)->Arg(100000);
BENCHMARK_CAPTURE(alive_at_once, warm, false)->Arg(100000);

}  // namespace
