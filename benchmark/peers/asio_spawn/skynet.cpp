// SPDX-License-Identifier: BSL-1.0
// A tree of coroutines, ten children each, with a million leaves: each leaf gives its number, each
// other node the sum of its children. What is counted is the time of the whole tree. As a child
// runs at once, and none waits, it has ended when spawn() returns.
#include "measure.h"
#include "no_strand.hpp"

#include <array>
#include <cstddef>

namespace {

long ended = 0;

long sum_of(coroutine_context yield, long first, long size) {
    constexpr std::size_t children = 10;
    if (size == 1) {
        return first;
    }
    const long part = size / children;
    std::array<long, children> sums{};
    const long before = ended;
    for (std::size_t i = 0; i < children; ++i) {
        const long start = first + static_cast<long>(i) * part;
        asio::spawn(
            yield,
            [start, part, &sum = sums[i]](coroutine_context child) {
                sum = sum_of(child, start, part);
                ++ended;
            },
            boost::coroutines::attributes(16 * 1024));
    }
    require(ended >= before + static_cast<long>(children), "a child has not ended");
    long total = 0;
    for (const long sum : sums) {
        total += sum;
    }
    return total;
}

}  // namespace

int main(int argc, char** argv) {
    const auto leaves = static_cast<long>(argument(argc, argv, "--leaves", 1'000'000));
    asio::io_context context(1);
    long sum = 0;
    const double start = cpu_ns();
    spawn_on(context, [&](coroutine_context yield) { sum = sum_of(yield, 0, leaves); });
    context.run();
    const double spent = cpu_ns() - start;
    require(sum == leaves * (leaves - 1) / 2, "the sum is wrong");
    report_value(spent / 1e6, "ms");
    report_checked("the sum of %ld leaves: %ld", leaves, sum);
}
