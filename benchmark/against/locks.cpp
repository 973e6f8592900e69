// SPDX-License-Identifier: BSL-1.0
// Locks that nobody else wants, and hand-overs between two who wait for each other.
#include "worlds.hpp"

namespace against {

namespace {

template <class World>
void mutex_uncontended(benchmark::State& state) {
    World::run([&] {
        typename World::mutex mutex;
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
template <class World, class Where>
void mutex_contended(benchmark::State& state) {
    typename World::mutex mutex;
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

template <class World, class Where>
void add_pairs() {
    add(std::string("mutex_contended") + Where::name, World::name, mutex_contended<World, Where>);
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
    add("mutex_uncontended", World::name, mutex_uncontended<World>);
    add_pairs<World, on_one_carrier>();
    add_pairs<World, on_two_carriers>();
}

}  // namespace

void add_locks() {
    add_all<coir_fibers>();
    add_all<boost_fibers>();
    add_all<std_threads>();
    // Boost.Fiber has neither, std no event.
    add_semaphore<coir_fibers, coir_fibers::binary_semaphore>("semaphore_round_trip");
    add_semaphore<std_threads, std_threads::binary_semaphore>("semaphore_round_trip");
    add_semaphore<coir_fibers, event_as_semaphore>("event_round_trip");
}

}  // namespace against
