// SPDX-License-Identifier: BSL-1.0
// A million coroutines that wait, each for a timer of its own: what they cost to spawn, in resident
// memory and in page tables, and what it takes to wake one. They have frames on the heap, and no
// stacks. The timers are made before and not counted.
#include "measure.h"
#include "wake.hpp"

#include <boost/asio.hpp>
#include <cstddef>
#include <vector>

namespace asio = boost::asio;

namespace {

std::size_t parked = 0;
long wakes = 0;

asio::awaitable<void> wait_again_and_again(asio::steady_timer& mine) {
    for (++parked;; ++wakes) {
        boost::system::error_code cancelled;
        co_await mine.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto fibers = static_cast<std::size_t>(argument(argc, argv, "--fibers", 1'000'000));
    asio::io_context context(1);
    std::vector<asio::steady_timer> timers;
    timers.reserve(fibers);
    for (std::size_t i = 0; i < fibers; ++i) {
        timers.emplace_back(context, asio::steady_timer::time_point::max());
    }
    const auto spawn_up_to = [&](std::size_t count) {
        for (std::size_t i = parked; i < count; ++i) {
            asio::co_spawn(context, wait_again_and_again(timers[i]), asio::detached);
        }
        context.poll();
        require(parked == count, "a coroutine has not come to wait");
    };
    const auto wake = [&](std::size_t number) {
        timers[number].cancel();
        context.poll();
    };
    spawn_up_to(10);
    const double ten_ns = wake_each_again_and_again(10, wake);
    const parked_memory before = read_parked_memory();
    spawn_up_to(fibers);
    report_parked(before, fibers - 10);
    report_wakes(fibers, ten_ns, wake);
    require(wakes == wakes_asked_for, "a wake-up was lost");
    report_text("note", "no stacks");
    report_checked("%ld wake-ups among %zu coroutines", wakes, parked);
    _exit(0);  // how long a million coroutines take to end is another question
}
