// SPDX-License-Identifier: BSL-1.0
// What it costs to go from one fiber to the next, beside a bare jump of Boost.Context, which is the
// limit. Both count one switch, so times compare.
#include <coir/coir.hpp>

#include <benchmark/benchmark.h>
#include <array>
#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace {

namespace fcontext = boost::context::detail;

void jump_back_for_ever(fcontext::transfer_t from) {
    for (;;) {
        from = fcontext::jump_fcontext(from.fctx, from.data);
    }
}

void raw_jump(benchmark::State& state) {
    std::vector<std::byte> stack(64 * 1024);
    fcontext::fcontext_t other =
        fcontext::make_fcontext(stack.data() + stack.size(), stack.size(), jump_back_for_ever);
    while (state.KeepRunningBatch(2)) {  // there and back
        other = fcontext::jump_fcontext(other, nullptr).fctx;
    }
}
BENCHMARK(raw_jump);

// A ring of fibers that do nothing but yield. Each counts, so that none can have been passed over.
void yield(benchmark::State& state) {
    const auto fibers = static_cast<std::size_t>(state.range(0));
    coir::run([&] {
        std::vector<std::int64_t> turns(fibers, 0);
        std::vector<coir::fiber> others;
        bool stop = false;
        for (std::size_t i = 1; i < fibers; ++i) {
            others.emplace_back([&stop, &mine = turns[i]] {
                while (!stop) {
                    ++mine;
                    coir::this_fiber::yield();
                }
            });
        }
        while (state.KeepRunningBatch(state.range(0))) {
            ++turns[0];
            coir::this_fiber::yield();
        }
        stop = true;
        for (coir::fiber& each : others) {
            each.join();
        }
        for (const std::int64_t mine : turns) {
            if (mine < turns[0] || mine > turns[0] + 1) {
                throw std::logic_error("a fiber was passed over");
            }
        }
    });
}
BENCHMARK(yield)->Arg(2)->Arg(10)->Arg(1000)->Arg(10000);

}  // namespace
