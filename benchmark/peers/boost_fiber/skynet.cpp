// SPDX-License-Identifier: BSL-1.0
// A tree of fibers, ten children each, with a million leaves: each leaf gives its number, each
// other node the sum of its children. What is counted is the time of the whole tree.
#include "measure.h"

#include <array>
#include <boost/fiber/all.hpp>
#include <cstddef>
#include <memory>

namespace {

boost::fibers::pooled_fixedsize_stack stacks(16 * 1024);

long sum_of(long first, long size) {
    constexpr std::size_t children = 10;
    if (size == 1) {
        return first;
    }
    const long part = size / children;
    std::array<long, children> sums{};
    std::array<boost::fibers::fiber, children> fibers;
    for (std::size_t i = 0; i < children; ++i) {
        const long start = first + static_cast<long>(i) * part;
        fibers[i] =
            boost::fibers::fiber(boost::fibers::launch::dispatch, std::allocator_arg, stacks,
                                 [start, part, &sum = sums[i]] { sum = sum_of(start, part); });
    }
    for (boost::fibers::fiber& each : fibers) {
        each.join();
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
    const double start = cpu_ns();
    const long sum = sum_of(0, leaves);
    const double spent = cpu_ns() - start;
    require(sum == leaves * (leaves - 1) / 2, "the sum is wrong");
    report_value(spent / 1e6, "ms");
    report_checked("the sum of %ld leaves: %ld", leaves, sum);
    _exit(0);  // giving the stacks back is not counted
}
