// SPDX-License-Identifier: BSL-1.0
// What it costs to go on to another fiber, to have one more, and to get its result.
#include "worlds.hpp"

#include <pthread.h>
#include <sched.h>
#include <atomic>

namespace against {

namespace {

// Threads on several processors yield to nobody, so they get one here.
class on_one_processor {
public:
    on_one_processor() {
        pthread_getaffinity_np(pthread_self(), sizeof before_, &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
        pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    }
    on_one_processor(const on_one_processor&) = delete;
    on_one_processor& operator=(const on_one_processor&) = delete;
    ~on_one_processor() { pthread_setaffinity_np(pthread_self(), sizeof before_, &before_); }

private:
    cpu_set_t before_{};
};

template <class World>
void yield(benchmark::State& state) {
    const on_one_processor here;
    std::atomic<bool> stop{false};
    on_one_carrier::run<World>(
        [&] {
            while (state.KeepRunningBatch(2)) {  // there and back
                World::yield();
            }
            stop.store(true, std::memory_order_relaxed);
        },
        [&] {
            while (!stop.load(std::memory_order_relaxed)) {
                World::yield();
            }
        });
}

template <class World>
void spawn_and_join(benchmark::State& state) {
    World::run([&] {
        std::int64_t ran = 0;
        for (auto _ : state) {
            typename World::fiber each([&ran] { ++ran; });
            each.join();
        }
        require_equal(ran, state.iterations());
    });
}

template <class World>
void async_and_get(benchmark::State& state) {
    World::run([&] {
        std::int64_t sum = 0;
        for (auto _ : state) {
            sum += World::async([] { return 1; }).get();
        }
        require_equal(sum, state.iterations());
    });
}

// Both ends in one hand: what a promise costs when nobody waits.
template <class World>
void promise_and_future(benchmark::State& state) {
    World::run([&] {
        std::int64_t sum = 0;
        for (auto _ : state) {
            typename World::template promise<int> promise;
            auto future = promise.get_future();
            promise.set_value(1);
            sum += future.get();
        }
        require_equal(sum, state.iterations());
    });
}

// A function and its result, the call included.
template <class World>
void packaged_task_and_future(benchmark::State& state) {
    World::run([&] {
        std::int64_t sum = 0;
        for (auto _ : state) {
            typename World::template packaged_task<int()> task([] { return 1; });
            auto future = task.get_future();
            task();
            sum += future.get();
        }
        require_equal(sum, state.iterations());
    });
}

template <class World>
void add_all() {
    add("yield", World::name, yield<World>);
    add("spawn_and_join", World::name, spawn_and_join<World>);
    add("async_and_get", World::name, async_and_get<World>);
    add("promise_and_future", World::name, promise_and_future<World>);
    add("packaged_task_and_future", World::name, packaged_task_and_future<World>);
}

}  // namespace

void add_tasks() {
    add_all<coir_fibers>();
    add_all<boost_fibers>();
    add_all<std_threads>();
}

}  // namespace against
