// SPDX-License-Identifier: BSL-1.0
// A coroutine that counts one and ends, spawned and awaited, again and again.
#include "measure.h"

#include <boost/asio.hpp>

namespace asio = boost::asio;

namespace {

constexpr long batch = 1000;
long ran = 0;

asio::awaitable<void> count_one() {
    ++ran;
    co_return;
}

asio::awaitable<void> spawn_and_join() {
    const auto executor = co_await asio::this_coro::executor;
    for (long i = 0; i < batch; ++i) {
        co_await asio::co_spawn(executor, count_one(), asio::use_awaitable);
    }
}

asio::awaitable<void> measure(double seconds) {
    co_await spawn_and_join();
    long spawned = 0;
    window window = open_window(seconds);
    do {
        co_await spawn_and_join();
        spawned += batch;
    } while (window_is_open(&window));
    require(ran == spawned + batch, "a coroutine did not run");
    report_each_ns(window.spent_ns, spawned);
    report_checked("%ld coroutines have run", ran);
}

}  // namespace

int main(int argc, char** argv) {
    asio::io_context context(1);
    asio::co_spawn(context, measure(argument(argc, argv, "--seconds", 1)), asio::detached);
    context.run();
}
