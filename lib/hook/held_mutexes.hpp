// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/settings.hpp"

#include <cerrno>

// The word held-mutexes of COIR_HOOK: tells of pthread mutexes that a fiber holds while it parks.
namespace coir::hook::detail {

void note_locked_slowly(const void* mutex, const void* where) noexcept;
void note_unlocked_slowly(const void* mutex) noexcept;

// By the fiber, with what its lock returned and the address of the code that has called it.
inline void note_locked(const void* mutex, int result, const void* where) noexcept {
    if (chosen.held_mutexes && (result == 0 || result == EOWNERDEAD)) {
        note_locked_slowly(mutex, where);
    }
}

inline void note_unlocked(const void* mutex) noexcept {
    if (chosen.held_mutexes) {
        note_unlocked_slowly(mutex);
    }
}

}  // namespace coir::hook::detail
