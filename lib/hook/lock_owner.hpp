// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/settings.hpp"

#include <coir/detail/interposition.hpp>

#include <cstdint>

namespace coir::hook::detail {

// Who wants a lock. Nobody's fiber does while nothing is taken.
inline coir::detail::calling_fiber lock_caller() noexcept {
    return enabled() ? coir::detail::who_calls() : coir::detail::calling_fiber{0, false};
}

// A fiber as it is noted in a lock of libc's, in four bytes that libc does not use; 0 is nobody. It
// means something only while the lock's owner, as libc has it, is the fiber's thread. To mistake
// one fiber for another it would have to hold the lock while four billion others are started.
using owner_tag = std::uint32_t;

inline owner_tag tag_of(const coir::detail::calling_fiber& fiber) noexcept {
    const auto low = static_cast<owner_tag>(fiber.id);
    return fiber.id != 0 && low == 0 ? 1 : low;
}

}  // namespace coir::hook::detail
