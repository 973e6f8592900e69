// SPDX-License-Identifier: BSL-1.0
// A ring of C++20 coroutines that do nothing but post themselves to the io_context, which is how a
// coroutine of Asio's yields. What is counted is the way from one to the next.
#include "measure.h"

#include <boost/asio.hpp>
#include <cstddef>
#include <vector>

namespace asio = boost::asio;

namespace {

std::vector<long> turns;
bool stop = false;

asio::awaitable<void> go_round_until_told() {
    const std::size_t number = turns.size();
    turns.push_back(0);
    while (!stop) {
        ++turns[number];
        co_await asio::post(asio::use_awaitable);
    }
}

asio::awaitable<void> go_round(std::size_t rounds) {
    for (std::size_t i = 0; i < rounds; ++i) {
        ++turns[0];
        co_await asio::post(asio::use_awaitable);
    }
}

asio::awaitable<void> measure(std::size_t fibers, double seconds) {
    const std::size_t batch = 100'000 / fibers + 1;
    turns.push_back(0);
    co_await asio::post(asio::use_awaitable);  // the others start meanwhile
    co_await go_round(batch);
    const long before = turns[0];
    window window = open_window(seconds);
    do {
        co_await go_round(batch);
    } while (window_is_open(&window));
    const double switches = static_cast<double>(turns[0] - before) * static_cast<double>(fibers);
    stop = true;
    report_each_ns(window.spent_ns, switches);
}

}  // namespace

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 2));
    asio::io_context context(1);
    turns.reserve(fibers);
    asio::co_spawn(context, measure(fibers, argument(argc, argv, "--seconds", 1)), asio::detached);
    for (std::size_t i = 1; i < fibers; ++i) {
        asio::co_spawn(context, go_round_until_told(), asio::detached);
    }
    context.run();
    require(turns.size() == fibers, "a coroutine did not start");
    for (const long mine : turns) {
        require(mine >= turns[0] - 1 && mine <= turns[0] + 1, "a coroutine was passed over");
    }
    report_checked("%ld turns by each of %zu coroutines", turns[0], fibers);
}
