// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#include <cstddef>

#include "context/stack.hpp"

namespace coir::detail {

// AddressSanitizer has to know the bounds of the stack that runs, and keeps one fake stack (for
// use-after-return) per stack, which we carry for it. See none.hpp for what each call means.
class sanitizer_annotations {
public:
    void attach(const stack& s) noexcept {
        limit_ = s.limit();
        size_ = s.size;
        fake_stack_ = nullptr;
    }
    void leave_for(sanitizer_annotations& next) noexcept {
        __sanitizer_start_switch_fiber(&fake_stack_, next.limit_, next.size_);
    }
    // No place to save the fake stack to means that it is freed.
    void leave_for_good(sanitizer_annotations& next) noexcept {
        __sanitizer_start_switch_fiber(nullptr, next.limit_, next.size_);
    }
    // The bounds of a thread's own stack are nowhere to be asked for, but ASan tells the bounds of
    // what was left. So they are known from the first switch away on, which is before anyone can
    // switch back.
    void arrive_from(sanitizer_annotations& previous) noexcept {
        __sanitizer_finish_switch_fiber(fake_stack_, &previous.limit_, &previous.size_);
    }
    // Frames that ended without returning left their red zones in the shadow of the stack.
    void detach(const stack& s) noexcept {
        __asan_unpoison_memory_region(s.limit(), s.size);
        *this = sanitizer_annotations();
    }

private:
    const void* limit_ = nullptr;
    std::size_t size_ = 0;
    void* fake_stack_ = nullptr;
};

inline void poison_memory(const void* at, std::size_t bytes) noexcept {
    __asan_poison_memory_region(at, bytes);
}
inline void unpoison_memory(const void* at, std::size_t bytes) noexcept {
    __asan_unpoison_memory_region(at, bytes);
}

}  // namespace coir::detail
