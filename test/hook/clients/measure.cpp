// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/measure.hpp"

#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace coir::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds usual_delay = 200ms;
constexpr milliseconds limit = 2min;  // of all calls: one that hangs is a failure, and ends

// Sleeps a millisecond at a time for as long as it lives, and notes when that took longer.
class ticker {
public:
    seconds longest_stall() const { return longest_; }

private:
    void tick() {
        for (auto last = clock::now();;) {
            this_fiber::sleep_for(1ms);
            const auto now = clock::now();
            longest_ = std::max<seconds>(longest_, now - last - 1ms);
            last = now;
        }
    }

    seconds longest_{0};
    fiber fiber_{[this] {
        tick();
    }};
};

// A call that must fail: `why` says what has happened to it.
void must_fail(client& c, const char* why) {
    try {
        c.call(c.endless());
    } catch (const client_error&) {
        return;
    }
    throw std::runtime_error(std::string("the call has succeeded in spite of ") + why);
}

// Has a call under way for a while, then does something to it, and waits until it has failed.
// Returns how long that took.
template <class Act>
seconds measure_failure(client& c, const char* why, Act act) {
    return coir::run([&] {
        std::exception_ptr failure;
        fiber caller([&] {
            try {
                must_fail(c, why);
            } catch (const std::runtime_error&) {
                failure = std::current_exception();
            }
        });
        this_fiber::sleep_for(500ms);
        const auto begun = clock::now();
        act(caller);
        caller.join();
        if (failure) {
            std::rethrow_exception(failure);
        }
        return seconds(clock::now() - begun);
    });
}

}  // namespace

overlap measure_overlap(client& c, std::size_t calls, std::size_t sample) {
    auto begun = clock::now();
    for (std::size_t i = 0; i < sample; ++i) {
        c.call(usual_delay);
    }
    const seconds in_turn = seconds(clock::now() - begun) * (double(calls) / double(sample));

    run_options options;
    options.blocking_threads = std::max(options.blocking_threads, calls);
    return coir::run(options, [&]() -> overlap {
        const ticker tick;
        begun = clock::now();
        with_timeout(limit, [&] {
            task_group group;
            for (std::size_t i = 0; i < calls; ++i) {
                group.spawn([&] { c.call(usual_delay); });
            }
            group.join();
        });
        return {calls, usual_delay, in_turn, clock::now() - begun, tick.longest_stall()};
    });
}

// A stack is memory that nobody has written to, and so zero, until the first fiber runs on it.
std::size_t measure_stack(client& c) {
    constexpr std::size_t stack_size = 1024 * 1024;
    constexpr std::size_t margin = 64 * 1024;  // for the stack's own ends
    return coir::run([&] {
        std::size_t used = 0;
        fiber caller({"measured", stack_size}, [&] {
            const char here = 0;
            const auto* const top = reinterpret_cast<const volatile char*>(&here);
            c.call(0ms);
            const volatile char* lowest = top - (stack_size - margin);
            while (lowest < top && *lowest == 0) {
                ++lowest;
            }
            used = static_cast<std::size_t>(top - lowest);
        });
        caller.join();
        return used;
    });
}

seconds measure_deadline(client& c) {
    return coir::run([&] {
        const auto begun = clock::now();
        try {
            with_timeout(500ms, [&] { must_fail(c, "its deadline"); });
        } catch (const timed_out&) {
            return seconds(clock::now() - begun - 500ms);
        }
        throw std::runtime_error("the deadline has passed and nobody was told");
    });
}

seconds measure_cancel(client& c) {
    return measure_failure(c, "its cancellation", [](fiber& caller) { caller.cancel(); });
}

seconds measure_death_of_server(client& c) {
    return measure_failure(c, "the end of its server", [&](fiber&) { c.kill(); });
}

}  // namespace coir::test
