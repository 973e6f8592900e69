// SPDX-License-Identifier: BSL-1.0
// Waiting and waking: a hand-over between two fibers through wait queues, and a wake-up that
// another thread posts.
#include <coir/coir.hpp>

#include <benchmark/benchmark.h>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace {

// One hand-over: an unpark, a park, a switch.
void park_and_unpark(benchmark::State& state) {
    coir::run([&] {
        coir::wait_queue ping;
        coir::wait_queue pong;
        std::int64_t answers = 0;
        coir::fiber other({"other"}, [&] {
            while (ping.park() == coir::wait_status::notified) {
                ++answers;
                pong.unpark_one();
            }
        });
        coir::this_fiber::yield();
        std::int64_t questions = 0;
        while (state.KeepRunningBatch(2)) {
            ++questions;
            ping.unpark_one();
            pong.park();
        }
        if (answers != questions) {
            throw std::logic_error("a wake-up was lost");
        }
    });
}
BENCHMARK(park_and_unpark);

// A thread answers a fiber: promise and future, both asleep each time.
void round_trip_with_a_thread(benchmark::State& state) {
    coir::run([&] {
        std::mutex mutex;
        coir::wait_queue asked;
        coir::wait_queue answered;
        std::int64_t questions = 0;
        std::int64_t answers = 0;
        bool stop = false;
        std::thread other([&] {
            std::unique_lock lock(mutex);
            while (!stop) {
                if (answers < questions) {
                    ++answers;
                    answered.unpark_one();
                } else {
                    asked.park(lock);
                }
            }
        });
        {
            std::unique_lock lock(mutex);
            for (auto _ : state) {
                ++questions;
                asked.unpark_one();
                while (answers < questions) {
                    answered.park(lock);
                }
            }
            stop = true;
            asked.unpark_all();
        }
        other.join();
        if (answers != state.iterations()) {
            throw std::logic_error("an answer was lost");
        }
    });
}
BENCHMARK(round_trip_with_a_thread)->UseRealTime();

}  // namespace
