// SPDX-License-Identifier: BSL-1.0
// A tree of coroutines, ten children each, with a million leaves: each leaf gives its number, each
// other node the sum of its children. What is counted is the time of the whole tree. As Asio 1.74
// has nothing to await several with, each child is awaited before the next is spawned.
#include "measure.h"

#include <boost/asio.hpp>

namespace asio = boost::asio;

namespace {

asio::awaitable<long> sum_of(long first, long size) {
    constexpr long children = 10;
    if (size == 1) {
        co_return first;
    }
    const long part = size / children;
    const auto executor = co_await asio::this_coro::executor;
    long total = 0;
    for (long i = 0; i < children; ++i) {
        total +=
            co_await asio::co_spawn(executor, sum_of(first + i * part, part), asio::use_awaitable);
    }
    co_return total;
}

}  // namespace

int main(int argc, char** argv) {
    const auto leaves = static_cast<long>(argument(argc, argv, "--leaves", 1'000'000));
    asio::io_context context(1);
    long sum = 0;
    const double start = cpu_ns();
    asio::co_spawn(context, sum_of(0, leaves),
                   [&sum](const std::exception_ptr&, long result) { sum = result; });
    context.run();
    const double spent = cpu_ns() - start;
    require(sum == leaves * (leaves - 1) / 2, "the sum is wrong");
    report_value(spent / 1e6, "ms");
    report_checked("the sum of %ld leaves: %ld", leaves, sum);
}
