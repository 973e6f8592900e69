// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/thread_activity.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace coir::run_tool {

using nanoseconds = std::chrono::nanoseconds;
using activity = hook::detail::thread_activity;

// In place of what the thread is at: nothing, as nobody is ready. If its fiber ticks late all the
// same, the machine has woken it late.
constexpr activity asleep = -4;

// In place of that, where the gap was over before anybody looked.
constexpr activity unseen = -5;

// On the steady clock, which all processes share.
inline nanoseconds now() noexcept { return std::chrono::steady_clock::now().time_since_epoch(); }

// What coir-run and the program that it runs share: a mapping that both have, so that whatever way
// the program ends, what was measured until then is there.
//
// In the program a fiber ticks; from one tick to the next is a *gap*. A thread looks meanwhile what
// holds the fibers' thread up, so that a gap which turns out to be long is known for what it was
// spent on most. In coir-run it is read when the program is gone.
struct gap_record {
    enum class stage : std::uint8_t {
        loaded_not,     // the program has not taken note of it
        not_begun,      // it has, and its main is still to come
        running,        // main is called
        over,           // main has returned, or exit() was called
        without_fibers  // they could not be had, and main was called without
    };

    // Written by coir-run, before the program starts.
    nanoseconds interval{};
    nanoseconds threshold{};  // gaps of that and more are counted

    std::atomic<stage> reached = stage::loaded_not;
    nanoseconds begun{};
    std::atomic<nanoseconds> last_tick{};
    std::atomic<nanoseconds> last_look{};
    std::uint64_t ticks = 0;

    struct tally {
        std::atomic<activity> at = 0;
        std::atomic<std::uint32_t> looks = 0;
    };
    std::array<tally, 8> in_this_gap;

    nanoseconds longest{};
    activity longest_at = unseen;

    struct sum {
        activity at = 0;
        std::uint32_t gaps = 0;
        nanoseconds duration{};
    };
    std::array<sum, 16> sums;  // of those that are counted; what finds no place is in the last one

    // By the thread that looks, each look_period(), if the tick is overdue.
    nanoseconds look_period() const noexcept { return std::min(interval, longest_look_period); }
    bool is_overdue(nanoseconds at) const noexcept {
        return at - last_tick.load() > interval + look_period();
    }
    void add_look(activity at) noexcept;
    static constexpr nanoseconds longest_look_period = std::chrono::milliseconds(1);

    // By the fiber at each tick, and by whoever ends the last gap.
    void end_gap(nanoseconds at) noexcept;
};

static_assert(std::atomic<nanoseconds>::is_always_lock_free);

// The variable that tells the program where it is: the number of a descriptor.
constexpr const char* variable = "COIR_RUN";

// How many libraries coir-run puts in front of LD_PRELOAD.
constexpr int libraries = 2;

}  // namespace coir::run_tool
