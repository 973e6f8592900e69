// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include "context/guard/stack_guard.hpp"
#include "context/stack.hpp"

namespace coir::detail {

// One mapping that holds a number of stacks ("slots") of one size. Memory is only reserved until it
// is touched.
class stack_slab {
public:
    // Stacks whose tops lie a multiple of 4 KiB apart have their hot frames in the same few sets of
    // the L1 cache (64 sets of 64 bytes, chosen by the offset in the page), and in the same
    // fraction of each cache behind it. So each slot's top is lowered by its index, modulo 32, in
    // cache lines. That costs at most 1984 bytes of a stack. Going round all 64 sets would spread
    // better still, but a fiber whose frames fit into half a page shall not need a second page.
    static constexpr std::size_t colours = 32;
    static constexpr std::size_t colour_step = 64;

    // From this many slots on, guards are installed in rows.
    static constexpr std::size_t smallest_slab_in_rows = 64;

    stack_slab(std::size_t slot_size, std::size_t class_index) noexcept
        : slot_size_(slot_size), class_index_(class_index) {}
    ~stack_slab();
    stack_slab(const stack_slab&) = delete;
    stack_slab& operator=(const stack_slab&) = delete;

    // Maps `slots` slots, each without a guard as yet. Called once. Returns 0 or an errno.
    int map(std::size_t slots) noexcept;

    // Slots are first handed out in order, and guarded a row ahead at most, so that the tail of a
    // slab is never touched before it is needed. Pre: !exhausted(). Returns an empty stack, and
    // errno, if the guard can't be installed.
    stack carve(stack_guard& guard) noexcept;
    bool exhausted() const noexcept { return carved_ == slots_; }

    std::size_t slots() const noexcept { return slots_; }
    std::size_t mapped_bytes() const noexcept { return slot_size_ * slots_; }
    std::size_t class_index() const noexcept { return class_index_; }

    // stack_pool counts here how many free stacks of this slab hold no memory.
    void count_given_back() noexcept { ++given_back_; }
    void count_reused() noexcept { --given_back_; }
    bool holds_nothing() const noexcept { return given_back_ == carved_; }

private:
    char* base_ = nullptr;
    std::size_t slot_size_;
    std::size_t slots_ = 0;
    std::size_t carved_ = 0;
    std::size_t guarded_ = 0;  // at least carved_; those between are guarded ahead of their use
    std::size_t given_back_ = 0;
    std::size_t class_index_;
};

// Gives the memory of a free stack back to the system. Its guard stays.
void discard_contents(const stack& s) noexcept;

}  // namespace coir::detail
