// SPDX-License-Identifier: BSL-1.0
// Locks that nobody else wants, and hand-overs between two who wait for each other.
#include "worlds.hpp"

#include <atomic>
#include <mutex>
#include <shared_mutex>

namespace against {

namespace {

template <class World, class Mutex>
void uncontended(benchmark::State& state) {
    World::run([&] {
        Mutex mutex;
        for (auto _ : state) {
            mutex.lock();
            benchmark::ClobberMemory();
            mutex.unlock();
        }
    });
}

// Whoever holds the lock lets the other run into it, and lets it run again when it has given the
// lock up: or else mutexes that let the last owner in first, as Boost.Fiber's does, would starve
// the other for ever. The time is that of one turn, while the other takes its own.
template <class World, class Where, class Mutex>
void contended(benchmark::State& state) {
    Mutex mutex;
    std::int64_t turns = 0;
    std::int64_t others_turns = 0;
    bool stop = false;
    Where::template run<World>(
        [&] {
            for (auto _ : state) {
                {
                    const std::lock_guard lock(mutex);
                    ++turns;
                    World::yield();
                }
                World::yield();
            }
            const std::lock_guard lock(mutex);
            stop = true;
        },
        [&] {
            for (bool stopped = false; !stopped;) {
                {
                    const std::lock_guard lock(mutex);
                    ++turns;
                    ++others_turns;
                    World::yield();
                    stopped = stop;
                }
                World::yield();
            }
        });
    require_equal(turns - others_turns, state.iterations());
    state.counters["others_turns"] =
        static_cast<double>(others_turns) / static_cast<double>(state.iterations());
}

// The same where both mostly read: every eighth turn is one alone.
template <class World, class Where, class SharedMutex>
void mostly_shared(benchmark::State& state) {
    SharedMutex mutex;
    std::int64_t written = 0;
    std::int64_t wrote = 0;
    std::int64_t other_wrote = 0;
    std::atomic<bool> stop{false};
    const auto take_turn = [&](std::int64_t number, std::int64_t& mine) {
        if (number % 8 == 0) {
            const std::lock_guard lock(mutex);
            ++written;
            ++mine;
            World::yield();
        } else {
            const std::shared_lock lock(mutex);
            benchmark::DoNotOptimize(written);
            World::yield();
        }
        World::yield();
    };
    Where::template run<World>(
        [&] {
            std::int64_t number = 0;
            for (auto _ : state) {
                take_turn(number++, wrote);
            }
            stop = true;
        },
        [&] {
            for (std::int64_t number = 4; !stop; ++number) {
                take_turn(number, other_wrote);
            }
        });
    require_equal(written, wrote + other_wrote);
}

// A question and its answer: two hand-overs.
template <class World, class Where>
void condition_variable_round_trip(benchmark::State& state) {
    typename World::mutex mutex;
    typename World::condition_variable changed;
    bool asked = false;
    bool stop = false;
    std::int64_t answers = 0;
    Where::template run<World>(
        [&] {
            std::unique_lock lock(mutex);
            for (auto _ : state) {
                asked = true;
                changed.notify_one();
                while (asked) {
                    changed.wait(lock);
                }
            }
            stop = true;
            changed.notify_one();
        },
        [&] {
            std::unique_lock lock(mutex);
            while (!stop) {
                if (asked) {
                    asked = false;
                    ++answers;
                    changed.notify_one();
                } else {
                    changed.wait(lock);
                }
            }
        });
    require_equal(answers, state.iterations());
}

// An event of coir's that whoever passes resets, by a semaphore's names.
class event_as_semaphore {
public:
    explicit event_as_semaphore(int /*available*/) {}
    void acquire() { event_.wait(); }
    void release() { event_.set(); }

private:
    coir::event event_{coir::event::reset_mode::automatic};
};

template <class World, class Where, class Semaphore>
void semaphore_round_trip(benchmark::State& state) {
    Semaphore question(0);
    Semaphore answer(0);
    bool stop = false;
    std::int64_t answers = 0;
    Where::template run<World>(
        [&] {
            for (auto _ : state) {
                question.release();
                answer.acquire();
            }
            stop = true;
            question.release();
        },
        [&] {
            for (;;) {
                question.acquire();
                if (stop) {
                    break;
                }
                ++answers;
                answer.release();
            }
        });
    require_equal(answers, state.iterations());
}

// A shared_mutex by a mutex's names, for those who share it.
template <class SharedMutex>
class share_of {
public:
    void lock() { mutex_.lock_shared(); }
    void unlock() { mutex_.unlock_shared(); }

private:
    SharedMutex mutex_;
};

// A semaphore of one permit by a mutex's names.
template <class Semaphore>
class semaphore_as_mutex {
public:
    void lock() { permit_.acquire(); }
    void unlock() { permit_.release(); }

private:
    Semaphore permit_{1};
};

template <class World, class Mutex>
void add_uncontended(const std::string& kind) {
    add(kind + "_uncontended", World::name, uncontended<World, Mutex>);
}

template <class World, class Mutex>
void add_mutex(const std::string& kind) {
    add_uncontended<World, Mutex>(kind);
    add(kind + "_contended" + on_one_carrier::name, World::name,
        contended<World, on_one_carrier, Mutex>);
    add(kind + "_contended" + on_two_carriers::name, World::name,
        contended<World, on_two_carriers, Mutex>);
}

template <class World, class Where>
void add_condition_variable() {
    add(std::string("condition_variable_round_trip") + Where::name, World::name,
        condition_variable_round_trip<World, Where>);
}

template <class World, class Semaphore>
void add_semaphore(const std::string& subject) {
    add(subject + on_one_carrier::name, World::name,
        semaphore_round_trip<World, on_one_carrier, Semaphore>);
    add(subject + on_two_carriers::name, World::name,
        semaphore_round_trip<World, on_two_carriers, Semaphore>);
}

template <class World>
void add_all() {
    add_mutex<World, typename World::mutex>("mutex");
    add_mutex<World, typename World::timed_mutex>("timed_mutex");
    add_mutex<World, typename World::recursive_mutex>("recursive_mutex");
    add_condition_variable<World, on_one_carrier>();
    add_condition_variable<World, on_two_carriers>();
}

// What Boost.Fiber has not.
template <class World>
void add_more() {
    add_mutex<World, typename World::shared_mutex>("shared_mutex");
    add_uncontended<World, share_of<typename World::shared_mutex>>("shared_mutex_shared");
    add(std::string("shared_mutex_mostly_shared") + on_one_carrier::name, World::name,
        mostly_shared<World, on_one_carrier, typename World::shared_mutex>);
    add(std::string("shared_mutex_mostly_shared") + on_two_carriers::name, World::name,
        mostly_shared<World, on_two_carriers, typename World::shared_mutex>);
    add_mutex<World, semaphore_as_mutex<typename World::binary_semaphore>>("semaphore");
    add_semaphore<World, typename World::binary_semaphore>("semaphore_round_trip");
}

}  // namespace

void add_locks() {
    add_all<coir_fibers>();
    add_all<boost_fibers>();
    add_all<std_threads>();
    add_more<coir_fibers>();
    add_more<std_threads>();
    add_semaphore<coir_fibers, event_as_semaphore>("event_round_trip");  // std has none
}

}  // namespace against
