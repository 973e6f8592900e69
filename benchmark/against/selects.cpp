// SPDX-License-Identifier: BSL-1.0
// One who takes from two channels whichever has something: coir's select beside the mutex and the
// condition variables that stand in for it elsewhere.
#include "worlds.hpp"

#include <array>
#include <cstddef>

namespace against {

namespace {

// The answer waits in the select for each question, which comes by the one channel or the other.
template <class World, class Where>
void select_round_trip(benchmark::State& state) {
    typename World::template two_channels<std::int64_t> questions(1);
    typename World::template channel<std::int64_t> answers(1);
    std::int64_t sum = 0;
    std::array<std::int64_t, 2> asked{};
    std::array<std::int64_t, 2> heard{};
    Where::template run<World>(
        [&] {
            std::size_t to = 0;
            std::int64_t answer = 0;
            for (auto _ : state) {
                questions.send(to, 1);
                answers.receive(answer);
                sum += answer;
                ++asked[to];
                to = 1 - to;
            }
            questions.close();
        },
        [&] {
            std::size_t from = 0;
            for (std::int64_t question = 0; questions.receive(from, question);) {
                heard[from] += question;
                answers.send(question);
            }
        });
    require_equal(sum, state.iterations());
    require_equal(heard[0], asked[0]);
    require_equal(heard[1], asked[1]);
}

template <class World, class Where>
void select_stream(benchmark::State& state) {
    constexpr std::size_t capacity = 64;
    typename World::template two_channels<std::int64_t> values(capacity);
    std::array<std::int64_t, 2> sent{};
    std::array<std::int64_t, 2> received{};
    Where::template run<World>(
        [&] {
            std::size_t to = 0;
            for (auto _ : state) {
                values.send(to, 1);
                ++sent[to];
                to = 1 - to;
            }
            values.close();
        },
        [&] {
            std::size_t from = 0;
            for (std::int64_t value = 0; values.receive(from, value);) {
                received[from] += value;
            }
        });
    require_equal(sent[0] + sent[1], state.iterations());
    require_equal(received[0], sent[0]);
    require_equal(received[1], sent[1]);
}

template <class World, class Where>
void add_pairs() {
    add(std::string("select_round_trip") + Where::name, World::name,
        select_round_trip<World, Where>);
    add(std::string("select_stream") + Where::name, World::name, select_stream<World, Where>);
}

template <class World>
void add_all() {
    add_pairs<World, on_one_carrier>();
    add_pairs<World, on_two_carriers>();
}

}  // namespace

void add_selects() {
    add_all<coir_fibers>();
    add_all<boost_fibers>();
    add_all<std_threads>();
}

}  // namespace against
