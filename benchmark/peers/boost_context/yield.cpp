// SPDX-License-Identifier: BSL-1.0
// The limit of every yield: a ring of contexts of Boost.Context, each of which counts its turn and
// jumps to the next. There is no scheduler; the stacks' tops are shifted against each other, or
// they would fight for the same cache sets.
#include "measure.h"

#include <sys/mman.h>
#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <vector>

namespace {

namespace fcontext = boost::context::detail;

struct member {
    fcontext::fcontext_t context = nullptr;
    member* previous = nullptr;
    member* next = nullptr;
    long turns = 0;
};

// Whoever arrives notes where the one before it goes on.
void jump_to_next(member* self) {
    const fcontext::transfer_t from = fcontext::jump_fcontext(self->next->context, self->next);
    self->previous->context = from.fctx;
}

void go_round_for_ever(fcontext::transfer_t from) {
    auto* self = static_cast<member*>(from.data);
    self->previous->context = from.fctx;
    for (;;) {
        ++self->turns;
        jump_to_next(self);
    }
}

void make_ring(std::vector<member>& ring) {
    constexpr std::size_t stack_bytes = 64 * 1024;
    constexpr std::size_t colours = 16;
    constexpr std::size_t lines = 256;  // bytes between two colours
    auto* stacks =
        static_cast<std::byte*>(mmap(nullptr, ring.size() * stack_bytes, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    require(stacks != MAP_FAILED, "no memory for the stacks");
    for (std::size_t i = 0; i < ring.size(); ++i) {
        std::byte* top = stacks + (i + 1) * stack_bytes - i % colours * lines;
        ring[i].context =
            fcontext::make_fcontext(top, stack_bytes - colours * lines, go_round_for_ever);
        ring[i].next = &ring[(i + 1) % ring.size()];
        ring[i].next->previous = &ring[i];
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 2));
    const double seconds = argument(argc, argv, "--seconds", 1);
    std::vector<member> ring(fibers);  // the first is main's own
    make_ring(ring);
    const auto go_round = [&](std::size_t rounds) {
        for (std::size_t i = 0; i < rounds; ++i) {
            ++ring[0].turns;
            jump_to_next(&ring[0]);
        }
    };
    const std::size_t batch = 100'000 / fibers + 1;
    go_round(batch);
    const long before = ring[0].turns;
    window window = open_window(seconds);
    do {
        go_round(batch);
    } while (window_is_open(&window));
    const long rounds = ring[0].turns - before;
    for (const member& each : ring) {
        require(each.turns == ring[0].turns, "a context was passed over");
    }
    report_each_ns(window.spent_ns, static_cast<double>(rounds) * static_cast<double>(fibers));
    report_checked("%ld turns by each of %zu contexts", ring[0].turns, fibers);
}
