// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "context/page_size.hpp"

namespace coir::detail {

class stack_slab;

// One stack out of a stack_pool: a plain value, which owns nothing by itself. Whoever holds it
// gives it back with stack_pool::release. An empty one (top == nullptr) stands for "no stack", or
// for the thread's own.
//
//     low                                                         high addresses
//     | guard (a page) | usable: [limit(), top) ............ | colour | next slot
//     |<---------------------- reserved_size() --------------------->|
//
// The colour (see stack_slab) is less than a page, so all of it can be told from the two ends of
// the usable range.
struct stack {
    void* top = nullptr;         // one past the highest usable byte; 64-byte aligned
    stack_slab* slab = nullptr;  // where it was carved from
    std::uint32_t size = 0;      // usable bytes; stack_pool::maximum_size is below 4 GiB
    std::uint32_t index = 0;     // which slot of the slab

    explicit operator bool() const noexcept { return top != nullptr; }

    // The lowest usable byte; page-aligned.
    void* limit() const noexcept { return static_cast<char*>(top) - size; }

    // All of the slot: what was asked for, rounded up to pages.
    std::size_t reserved_size() const noexcept {
        const std::size_t end = round_up(reinterpret_cast<std::uintptr_t>(top), page_size());
        return end - reinterpret_cast<std::uintptr_t>(limit()) + page_size();
    }

    // Is this an address that only an overflow of this stack touches? Async-signal-safe.
    bool guard_contains(const void* address) const noexcept {
        const auto end = reinterpret_cast<std::uintptr_t>(limit());
        const auto at = reinterpret_cast<std::uintptr_t>(address);
        return top != nullptr && at < end && at >= end - page_size();
    }

    // Is this an address of the usable range? Async-signal-safe.
    bool contains(const void* address) const noexcept {
        return address >= limit() && address < top;
    }
};

}  // namespace coir::detail
