// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scheduler.hpp"

#include <cstdint>

namespace coir::detail {

// Who makes a call: what an owner of a lock is known by.
struct caller {
    // Twice the fiber's id, or for a plain thread twice its number plus one. Never 0, and never
    // used again: a pointer would be, and then somebody else would pass for an owner that has
    // ended.
    std::uint64_t tag;
    const void* run;  // what the carriers of the fiber's run share; null for a plain thread
};

std::uint64_t tag_of_this_thread() noexcept;

inline caller this_caller() noexcept {
    if (scheduler* const home = scheduler::current()) [[likely]] {
        return {2 * home->running().id, &home->carriers()};
    }
    return {tag_of_this_thread(), nullptr};
}

// The id of the fiber that a tag stands for, as wait labels have it; -1 for a thread.
constexpr long fiber_of(std::uint64_t tag) noexcept {
    return tag % 2 == 0 ? static_cast<long>(tag / 2) : -1;
}

}  // namespace coir::detail
