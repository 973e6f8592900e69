// SPDX-License-Identifier: BSL-1.0
// Values through channels: one at a time with an answer each, and a stream.
#include "worlds.hpp"

namespace against {

namespace {

constexpr std::size_t stream_capacity = 64;

// Through two channels without a buffer: a question and its answer.
template <class World, class Where>
void channel_round_trip(benchmark::State& state) {
    typename World::template channel<std::int64_t> questions(0);
    typename World::template channel<std::int64_t> answers(0);
    std::int64_t sum = 0;
    Where::template run<World>(
        [&] {
            std::int64_t answer = 0;
            for (auto _ : state) {
                questions.send(1);
                answers.receive(answer);
                sum += answer;
            }
            questions.close();
        },
        [&] {
            for (std::int64_t question = 0; questions.receive(question);) {
                answers.send(question);
            }
        });
    require_equal(sum, state.iterations());
}

template <class World, class Where>
void channel_stream(benchmark::State& state) {
    typename World::template channel<std::int64_t> values(stream_capacity);
    std::int64_t sum = 0;
    Where::template run<World>(
        [&] {
            for (auto _ : state) {
                values.send(1);
            }
            values.close();
        },
        [&] {
            for (std::int64_t value = 0; values.receive(value);) {
                sum += value;
            }
        });
    require_equal(sum, state.iterations());
}

template <class World, class Where>
void add_pairs() {
    add(std::string("channel_round_trip") + Where::name, World::name,
        channel_round_trip<World, Where>);
    add(std::string("channel_stream") + Where::name, World::name, channel_stream<World, Where>);
}

template <class World>
void add_all() {
    add_pairs<World, on_one_carrier>();
    add_pairs<World, on_two_carriers>();
}

}  // namespace

void add_channels() {
    add_all<coir_fibers>();
    add_all<boost_fibers>();
    add_all<std_threads>();
}

}  // namespace against
