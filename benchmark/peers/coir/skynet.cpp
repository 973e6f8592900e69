// SPDX-License-Identifier: BSL-1.0
// A tree of fibers, ten children each, with a million leaves: each leaf gives its number, each
// other node the sum of its children. What is counted is the time of the whole tree; with --threads
// 2, on as many carriers.
//
// Children begin at once (fiber_options::eager), as Asio's spawn has it: so a few branches are
// alive at a time, and not the whole tree. That keeps them on their parent's carrier. On several
// carriers the root's children are spawned without it, and spread: ten branches of equal size.
#include "measure.h"

#include <coir/coir.hpp>

#include <array>
#include <cstddef>

namespace {

// As in the root of a tree that is to spread, or below it.
enum class children_begin : bool { when_their_turn_comes, at_once };

coir::fiber_options options_of(children_begin when) {
    coir::fiber_options options({}, 0, {});
    options.eager = when == children_begin::at_once;
    return options;
}

long sum_of(long first, long size, children_begin when = children_begin::at_once) {
    constexpr std::size_t children = 10;
    if (size == 1) {
        return first;
    }
    const long part = size / children;
    std::array<long, children> sums{};
    {
        std::array<coir::fiber, children> fibers;
        for (std::size_t i = 0; i < children; ++i) {
            const long start = first + static_cast<long>(i) * part;
            fibers[i] = coir::fiber(options_of(when),
                                    [start, part, &sum = sums[i]] { sum = sum_of(start, part); });
        }
        for (coir::fiber& each : fibers) {
            each.join();
        }
    }
    long total = 0;
    for (const long sum : sums) {
        total += sum;
    }
    return total;
}

}  // namespace

int main(int argc, char** argv) {
    const auto leaves = static_cast<long>(argument(argc, argv, "--leaves", 1'000'000));
    coir::run_options options;
    options.threads = static_cast<std::size_t>(argument(argc, argv, "--threads", 1));
    const double start = options.threads == 1 ? cpu_ns() : wall_ns();
    const children_begin top =
        options.threads == 1 ? children_begin::at_once : children_begin::when_their_turn_comes;
    const long sum = coir::run(options, [&] { return sum_of(0, leaves, top); });
    const double spent = (options.threads == 1 ? cpu_ns() : wall_ns()) - start;
    require(sum == leaves * (leaves - 1) / 2, "the sum is wrong");
    report_value(spent / 1e6, "ms");
    report_checked("the sum of %ld leaves: %ld", leaves, sum);
}
