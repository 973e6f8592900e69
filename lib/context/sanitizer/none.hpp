// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include "context/stack.hpp"

namespace coir::detail {

// What a sanitizer has to be told about one execution context. This one tells nobody; address.hpp
// and thread.hpp have the same members. The order of calls, when A switches to B:
//
//     on A: A.leave_for(B) -> jump -> on B: B.arrive_from(A)
class sanitizer_annotations {
public:
    // A stack on which nothing runs yet is given to this context.
    void attach(const stack&) noexcept {}
    // The last thing before the jump: from here on the thread counts as being on `next`.
    void leave_for(sanitizer_annotations&) noexcept {}
    // The same, when nobody will ever come back to this context.
    void leave_for_good(sanitizer_annotations&) noexcept {}
    // The first thing after the jump.
    void arrive_from(sanitizer_annotations&) noexcept {}
    // The stack is taken away. Runs on another context's stack.
    void detach(const stack&) noexcept {}
};

// Memory that nobody may touch until it is unpoisoned.
inline void poison_memory(const void*, std::size_t) noexcept {}
inline void unpoison_memory(const void*, std::size_t) noexcept {}

}  // namespace coir::detail
