// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <valgrind/valgrind.h>

#include "context/stack.hpp"

namespace coir::detail {

// Valgrind takes a big jump of the stack pointer for a huge frame, unless it knows that both ends
// are stacks.
class valgrind_annotations {
public:
    void attach(const stack& s) noexcept { id_ = VALGRIND_STACK_REGISTER(s.limit(), s.top); }
    void detach() noexcept { VALGRIND_STACK_DEREGISTER(id_); }

private:
    unsigned long id_ = 0;
};

}  // namespace coir::detail
