// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sanitizer/tsan_interface.h>

#include <cstddef>

#include "context/stack.hpp"

namespace coir::detail {

// ThreadSanitizer keeps a shadow call stack and a clock per fiber. See none.hpp for what each call
// means.
class sanitizer_annotations {
public:
    void attach(const stack&) noexcept { fiber_ = __tsan_create_fiber(0); }
    // A context that was never given a stack is the thread's own, and its handle is to be had only
    // while it runs. Flags 0: a switch orders what was before it before what comes after it, as on
    // one thread it does. Inlined without optimisation too: the sanitizer counts a function's entry
    // on the fiber that leaves, and would count its exit on the one that arrives.
    [[gnu::always_inline]] void leave_for(sanitizer_annotations& next) noexcept {
        if (fiber_ == nullptr)
            fiber_ = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(next.fiber_, 0);
    }
    [[gnu::always_inline]] void leave_for_good(sanitizer_annotations& next) noexcept {
        leave_for(next);
    }
    void arrive_from(sanitizer_annotations&) noexcept {}
    // A TSan fiber must not destroy itself, which is why this is not done by leave_for_good.
    void detach(const stack&) noexcept {
        __tsan_destroy_fiber(fiber_);
        fiber_ = nullptr;
    }

private:
    void* fiber_ = nullptr;
};

inline void poison_memory(const void*, std::size_t) noexcept {}
inline void unpoison_memory(const void*, std::size_t) noexcept {}

}  // namespace coir::detail
