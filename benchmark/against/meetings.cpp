// SPDX-License-Identifier: BSL-1.0
// What several wait for together: barriers, latches, calls that are made once, and results.
#include "worlds.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>

namespace against {

namespace {

// Two that meet: a phase each time.
template <class World, class Where>
void barrier_phase(benchmark::State& state) {
    typename World::barrier both(2);
    const auto phases = static_cast<std::int64_t>(state.max_iterations);
    std::int64_t met = 0;
    Where::template run<World>(
        [&] {
            for (auto _ : state) {
                both.arrive_and_wait();
            }
        },
        [&] {
            for (; met < phases; ++met) {
                both.arrive_and_wait();
            }
        });
    require_equal(met, state.iterations());
}

// Its whole life, with nobody who has to wait.
template <class World>
void latch_uncontended(benchmark::State& state) {
    World::run([&] {
        for (auto _ : state) {
            typename World::latch latch(1);
            latch.count_down();
            latch.wait();
        }
    });
}

template <class World>
void call_once_that_is_done(benchmark::State& state) {
    World::run([&] {
        typename World::once_flag flag;
        std::int64_t calls = 0;
        for (auto _ : state) {
            call_once(flag, [&] { ++calls; });  // of the flag's namespace
            benchmark::ClobberMemory();
        }
        require_equal(calls, 1);
    });
}

// Four wait for one result. The last of them that has it answers, and by then the next result is
// promised: so they wait for that when it comes.
template <class World, class Where>
void shared_future_round_trip(benchmark::State& state) {
    constexpr std::int64_t waiters = 4;
    constexpr int last = 0;
    typename World::template promise<int> next;
    std::array<typename World::template shared_future<int>, 2> futures;
    futures[0] = next.get_future().share();
    typename World::template promise<void> answer;
    std::atomic<std::int64_t> have_it{0};
    std::atomic<std::int64_t> sum{0};

    const auto wait_for_each = [&] {
        for (std::size_t round = 0;; ++round) {
            const auto mine = futures[round % 2];
            const int value = mine.get();
            if (value == last) {
                return;
            }
            sum += value;
            if (++have_it % waiters == 0) {
                auto given = std::move(answer);  // the asker makes another as soon as it hears
                given.set_value();
            }
        }
    };
    Where::template run<World>(
        [&] {
            std::size_t round = 0;
            for (auto _ : state) {
                ++round;
                answer = typename World::template promise<void>();
                auto answered = answer.get_future();
                auto present = std::exchange(next, typename World::template promise<int>());
                futures[round % 2] = next.get_future().share();
                present.set_value(1);
                answered.get();
            }
            next.set_value(last);
        },
        [&] {
            std::deque<typename World::local_fiber> all;
            for (std::int64_t i = 0; i < waiters; ++i) {
                all.emplace_back(wait_for_each);
            }
            for (auto& one : all) {
                one.join();
            }
        });
    require_equal(sum, waiters * state.iterations());
}

template <class World>
void add_shared_future() {
    add(std::string("shared_future_round_trip") + on_one_carrier::name, World::name,
        shared_future_round_trip<World, on_one_carrier>);
    add(std::string("shared_future_round_trip") + on_two_carriers::name, World::name,
        shared_future_round_trip<World, on_two_carriers>);
}

template <class World>
void add_barrier() {
    add(std::string("barrier_phase") + on_one_carrier::name, World::name,
        barrier_phase<World, on_one_carrier>);
    add(std::string("barrier_phase") + on_two_carriers::name, World::name,
        barrier_phase<World, on_two_carriers>);
}

template <class World>
void add_the_others() {
    add("latch_uncontended", World::name, latch_uncontended<World>);
    add("call_once_that_is_done", World::name, call_once_that_is_done<World>);
}

}  // namespace

void add_meetings() {
    add_barrier<coir_fibers>();
    add_barrier<boost_fibers>();
    add_barrier<std_threads>();
    add_shared_future<coir_fibers>();
    add_shared_future<boost_fibers>();
    add_shared_future<std_threads>();
    add_the_others<coir_fibers>();  // Boost.Fiber has neither
    add_the_others<std_threads>();
}

}  // namespace against
