// SPDX-License-Identifier: BSL-1.0
// What several wait for together: barriers, latches, and calls that are made once.
#include "worlds.hpp"

#include <string>

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
    add_the_others<coir_fibers>();  // Boost.Fiber has neither
    add_the_others<std_threads>();
}

}  // namespace against
