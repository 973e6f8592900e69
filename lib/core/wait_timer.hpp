// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "time/timer_queue.hpp"

#include <cstddef>

namespace coir::detail {

class fiber_control;

// The end of a fiber's wait by its deadline.
struct wait_timer : timer {
    explicit wait_timer(fiber_control& f) noexcept : timer(end_wait), fiber(f) {}

    // What is told of those that are about to fire: see timer_queue::fire_due.
    static const timer_queue::forecast forecast;

    fiber_control& fiber;

private:
    static void end_wait(timer& t) noexcept;
    static void expect_soon(const timer& t) noexcept;
    static void expect_next(const timer& t) noexcept;
};

// Where a carrier's wait timers are, for as long as the waits last. Timers touch each other, in
// lists and when those are sorted. On the sleepers' stacks, or in their control blocks, each of
// them would be a cache miss of its own; here a hundred thousand are four megabytes, and the last
// that was put back, which is still in the cache, is the first to be taken again.
//
//     chunk | timer | free --> free --> ... | never used, never touched ... |
//
// A wait must not fail, nor allocate. So room is made when a fiber gets a stack, which it needs to
// wait at all; where there is no memory for it, a wait is told so, and has its timer on the stack.
class wait_timer_store {
public:
    wait_timer_store() noexcept { grow(); }
    wait_timer_store(const wait_timer_store&) = delete;
    wait_timer_store& operator=(const wait_timer_store&) = delete;
    ~wait_timer_store();

    // Makes room for so many waits at once, if there is memory.
    void provide_for(std::size_t waits) noexcept {
        if (waits > capacity_) {
            grow();
        }
    }

    // Null: there is no room.
    wait_timer* take(fiber_control& fiber) noexcept;
    void put_back(wait_timer& t) noexcept;

private:
    struct chunk;
    union slot;

    void grow() noexcept;
    slot* take_fresh() noexcept;

    slot* free_ = nullptr;  // the last put back first
    chunk* first_ = nullptr;
    chunk* last_ = nullptr;
    chunk* carved_ = nullptr;  // those before it have no slots that were never used
    std::size_t capacity_ = 0;
};

}  // namespace coir::detail
