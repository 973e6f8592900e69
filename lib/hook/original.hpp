// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/call.hpp"

namespace coir::hook::detail {

// The address of libc's own function, or of whoever else would have been called if coir were not
// there: a sanitizer, another interposer. Found when the program starts, or by the first call if
// that comes before: dlsym may allocate, and an allocator may call a hook.
void* original_address(call which) noexcept;

template <class Function>
Function* original(call which) noexcept {
    return reinterpret_cast<Function*>(original_address(which));
}

}  // namespace coir::hook::detail
