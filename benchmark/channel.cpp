// SPDX-License-Identifier: BSL-1.0
// Channels on one carrier: a hand-over from stack to stack, a stream through a buffer, a select.
#include <coir/coir.hpp>
#include <coir/sync/channel.hpp>
#include <coir/sync/select.hpp>

#include <benchmark/benchmark.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>

namespace {

void expect(bool what) {
    if (!what) {
        throw std::logic_error("a value was lost");
    }
}

// One value sent and received, each by a fiber that waits for the other: two switches in four
// operations, two of which find their partner waiting.
void unbuffered_ping_pong(benchmark::State& state) {
    coir::run([&] {
        coir::channel<std::int64_t> ping(0);
        coir::channel<std::int64_t> pong(0);
        coir::fiber other([&] {
            for (const std::int64_t value : ping) {
                pong.send(value + 1);
            }
        });
        std::int64_t value = 0;
        for (auto _ : state) {
            ping.send(value);
            value = *pong.receive();
        }
        ping.close();
        other.join();
        expect(value == state.iterations());
    });
}
BENCHMARK(unbuffered_ping_pong);

// Values through a buffer, which is filled and emptied in turn.
void buffered_stream(benchmark::State& state) {
    coir::run([&] {
        coir::channel<std::int64_t> c(static_cast<std::size_t>(state.range(0)));
        std::int64_t received = 0;
        coir::fiber consumer([&] {
            for (const std::int64_t value : c) {
                received += value;
            }
        });
        for (auto _ : state) {
            c.send(1);
        }
        c.close();
        consumer.join();
        expect(received == state.iterations());
    });
}
BENCHMARK(buffered_stream)->Arg(1)->Arg(16)->Arg(128);

// No wait at all: what the calls themselves cost.
void send_and_receive_without_waiting(benchmark::State& state) {
    coir::run([&] {
        coir::channel<std::int64_t> c(1);
        std::int64_t sum = 0;
        for (auto _ : state) {
            c.send(1);
            sum += *c.receive();
        }
        expect(sum == state.iterations());
    });
}
BENCHMARK(send_and_receive_without_waiting);

void unbounded_without_waiting(benchmark::State& state) {
    coir::run([&] {
        coir::channel<std::int64_t> c(coir::unbounded);
        std::int64_t sum = 0;
        for (auto _ : state) {
            c.send(1);
            sum += *c.receive();
        }
        expect(sum == state.iterations());
    });
}
BENCHMARK(unbounded_without_waiting);

// The receiver waits for two channels at once each time.
void select_of_two(benchmark::State& state) {
    coir::run([&] {
        coir::channel<std::int64_t> a(0);
        coir::channel<std::int64_t> b(0);
        std::int64_t received = 0;
        coir::fiber consumer([&] {
            const auto take = [&](std::optional<std::int64_t> value) {
                received += value.value_or(0);
                return value.has_value();
            };
            while (coir::select(coir::on_receive(a, take), coir::on_receive(b, take))) {
            }
        });
        while (state.KeepRunningBatch(2)) {
            a.send(1);
            b.send(1);
        }
        a.close();
        consumer.join();
        expect(received == static_cast<std::int64_t>(state.iterations()));
    });
}
BENCHMARK(select_of_two);

// One of the two has a value already.
void select_of_two_without_waiting(benchmark::State& state) {
    coir::run([&] {
        coir::channel<std::int64_t> a(1);
        coir::channel<std::int64_t> b(1);
        for (auto _ : state) {
            b.send(1);
            expect(coir::select(coir::on_receive(a), coir::on_receive(b)) == 1);
        }
    });
}
BENCHMARK(select_of_two_without_waiting);

}  // namespace
