// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/call.hpp"

#include <atomic>

namespace coir::hook::detail {

// Relaxed throughout: an address is all there is to publish, and whoever finds none looks it up
// himself and finds the same.
extern std::atomic<void*> original_addresses[call_count];

void* find_original_address(call which) noexcept;

// The address of libc's own function, or of whoever else would have been called if coir were not
// there: a sanitizer, another interposer. Found when the program starts, or by the first call if
// that comes before: dlsym may allocate, and an allocator may call a hook.
inline void* original_address(call which) noexcept {
    void* const found =
        original_addresses[static_cast<std::size_t>(which)].load(std::memory_order_relaxed);
    return found != nullptr ? found : find_original_address(which);
}

template <class Function>
Function* original(call which) noexcept {
    return reinterpret_cast<Function*>(original_address(which));
}

}  // namespace coir::hook::detail
