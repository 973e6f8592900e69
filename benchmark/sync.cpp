// SPDX-License-Identifier: BSL-1.0
// What the primitives of coir/sync cost: alone, and handed from fiber to fiber on one carrier. The
// measure is std::mutex, and a mutex that fibers of one carrier alone could do with: no atomic
// operation, no owner, a wait queue without a lock.
#include <coir/coir.hpp>

#include <benchmark/benchmark.h>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace {

// The twin that coir does not have. doc/decisions/0013-one-dual-primitive.md says why.
class local_mutex {
public:
    void lock() {
        if (held_) {
            waiting_.park(coir::deadline::never(), {"a mutex"}, coir::cancellable::no);
        }
        held_ = true;
    }
    void unlock() {
        if (!waiting_.unpark_one()) {
            held_ = false;
        }
    }

private:
    bool held_ = false;
    coir::wait_queue waiting_;
};

template <class Mutex>
[[gnu::noinline]] void lock_and_unlock(Mutex& mutex) {
    mutex.lock();
    benchmark::ClobberMemory();
    mutex.unlock();
}

// Nobody else wants it. With 1 the process has another thread, which sleeps: with one thread alone
// neither glibc's mutexes nor ours use atomic exchanges.
class sleeping_thread {
public:
    explicit sleeping_thread(bool wanted) {
        if (wanted) {
            thread_ = std::thread([this] { end_.wait(); });
        }
    }
    sleeping_thread(const sleeping_thread&) = delete;
    sleeping_thread& operator=(const sleeping_thread&) = delete;
    ~sleeping_thread() {
        end_.set();
        if (thread_.joinable()) {
            thread_.join();
        }
    }

private:
    coir::event end_;
    std::thread thread_;
};

template <class Mutex>
void uncontended(benchmark::State& state) {
    const sleeping_thread other(state.range(0) != 0);
    coir::run([&] {
        Mutex mutex;
        for (auto _ : state) {
            lock_and_unlock(mutex);
        }
    });
}
BENCHMARK_TEMPLATE(uncontended, local_mutex)->Arg(0);
BENCHMARK_TEMPLATE(uncontended, std::mutex)->Arg(0);
BENCHMARK_TEMPLATE(uncontended, coir::mutex)->Arg(0);
BENCHMARK_TEMPLATE(uncontended, coir::timed_mutex)->Arg(0);
BENCHMARK_TEMPLATE(uncontended, std::recursive_mutex)->Arg(0);
BENCHMARK_TEMPLATE(uncontended, coir::recursive_mutex)->Arg(0);
BENCHMARK_TEMPLATE(uncontended, coir::shared_mutex)->Arg(0);

void uncontended_shared(benchmark::State& state) {
    coir::run([&] {
        coir::shared_mutex mutex;
        for (auto _ : state) {
            mutex.lock_shared();
            benchmark::ClobberMemory();
            mutex.unlock_shared();
        }
    });
}
BENCHMARK(uncontended_shared);

// Two fibers of one carrier want it all the time, so that each unlock hands it over: a lock, an
// unlock and a switch.
template <class Mutex>
void contended_on_one_carrier(benchmark::State& state) {
    coir::run([&] {
        Mutex mutex;
        bool stop = false;
        coir::fiber other([&] {
            while (!stop) {
                mutex.lock();
                coir::this_fiber::yield();
                mutex.unlock();
            }
        });
        coir::this_fiber::yield();
        while (state.KeepRunningBatch(2)) {
            mutex.lock();
            coir::this_fiber::yield();
            mutex.unlock();
        }
        stop = true;
    });
}
BENCHMARK_TEMPLATE(contended_on_one_carrier, local_mutex);
BENCHMARK_TEMPLATE(contended_on_one_carrier, coir::mutex);

void semaphore_uncontended(benchmark::State& state) {
    coir::run([&] {
        coir::counting_semaphore<> permits(1);
        for (auto _ : state) {
            permits.acquire();
            permits.release();
        }
    });
}
BENCHMARK(semaphore_uncontended);

// One hand-over each: two fibers that answer each other.
template <class Answer, class Wait>
void ping_pong(benchmark::State& state, Answer signal_other, Wait wait) {
    bool stop = false;
    coir::fiber other([&] {
        for (;;) {
            wait(0);
            if (stop) {
                return;
            }
            signal_other(1);
        }
    });
    coir::this_fiber::yield();
    while (state.KeepRunningBatch(2)) {
        signal_other(0);
        wait(1);
    }
    stop = true;
    signal_other(0);
    other.join();
}

void semaphore_ping_pong(benchmark::State& state) {
    coir::run([&] {
        coir::binary_semaphore side[2] = {coir::binary_semaphore(0), coir::binary_semaphore(0)};
        ping_pong(
            state, [&](int i) { side[i].release(); }, [&](int i) { side[i].acquire(); });
    });
}
BENCHMARK(semaphore_ping_pong);

void event_is_set(benchmark::State& state) {
    coir::run([&] {
        coir::event e;
        e.set();
        for (auto _ : state) {
            e.wait();
        }
    });
}
BENCHMARK(event_is_set);

void event_ping_pong(benchmark::State& state) {
    coir::run([&] {
        using mode = coir::event::reset_mode;
        coir::event side[2] = {coir::event(mode::automatic), coir::event(mode::automatic)};
        ping_pong(
            state, [&](int i) { side[i].set(); }, [&](int i) { side[i].wait(); });
    });
}
BENCHMARK(event_ping_pong);

template <class Condition>
void notify_nobody(benchmark::State& state) {
    Condition changed;
    for (auto _ : state) {
        changed.notify_one();
    }
}
BENCHMARK_TEMPLATE(notify_nobody, std::condition_variable);
BENCHMARK_TEMPLATE(notify_nobody, coir::condition_variable);

void condition_variable_ping_pong(benchmark::State& state) {
    coir::run([&] {
        coir::mutex mutex;
        coir::condition_variable changed[2];
        bool told[2] = {false, false};
        ping_pong(
            state,
            [&](int i) {
                const std::lock_guard lock(mutex);
                told[i] = true;
                changed[i].notify_one();
            },
            [&](int i) {
                std::unique_lock lock(mutex);
                changed[i].wait(lock, [&] { return told[i]; });
                told[i] = false;
            });
    });
}
BENCHMARK(condition_variable_ping_pong);

void call_once_that_is_done(benchmark::State& state) {
    coir::once_flag flag;
    for (auto _ : state) {
        coir::call_once(flag, [] {});
    }
}
BENCHMARK(call_once_that_is_done);

// From here on there are threads; glibc may not notice when there is but one again.
BENCHMARK_TEMPLATE(uncontended, local_mutex)->Arg(1);
BENCHMARK_TEMPLATE(uncontended, std::mutex)->Arg(1);
BENCHMARK_TEMPLATE(uncontended, coir::mutex)->Arg(1);
BENCHMARK_TEMPLATE(uncontended, coir::timed_mutex)->Arg(1);
BENCHMARK_TEMPLATE(uncontended, std::recursive_mutex)->Arg(1);
BENCHMARK_TEMPLATE(uncontended, coir::recursive_mutex)->Arg(1);
BENCHMARK_TEMPLATE(uncontended, coir::shared_mutex)->Arg(1);

// Two threads want it all the time.
template <class Mutex>
void contended_by_two_threads(benchmark::State& state) {
    static Mutex mutex;
    static std::int64_t counter = 0;
    for (auto _ : state) {
        mutex.lock();
        benchmark::DoNotOptimize(++counter);
        mutex.unlock();
    }
}
BENCHMARK_TEMPLATE(contended_by_two_threads, std::mutex)->Threads(2)->UseRealTime();
BENCHMARK_TEMPLATE(contended_by_two_threads, coir::mutex)->Threads(2)->UseRealTime();

// condition_variable_ping_pong between two threads, for comparison.
void std_condition_variable_ping_pong(benchmark::State& state) {
    std::mutex mutex;
    std::condition_variable changed[2];
    bool told[2] = {false, false};
    bool stop = false;
    const auto signal_other = [&](int i) {
        const std::lock_guard lock(mutex);
        told[i] = true;
        changed[i].notify_one();
    };
    const auto wait = [&](int i) {
        std::unique_lock lock(mutex);
        changed[i].wait(lock, [&] { return told[i]; });
        told[i] = false;
    };
    std::thread other([&] {
        for (;;) {
            wait(0);
            if (stop) {
                return;
            }
            signal_other(1);
        }
    });
    while (state.KeepRunningBatch(2)) {
        signal_other(0);
        wait(1);
    }
    stop = true;
    signal_other(0);
    other.join();
}
BENCHMARK(std_condition_variable_ping_pong)->UseRealTime();

}  // namespace
