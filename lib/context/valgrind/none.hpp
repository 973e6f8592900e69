// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context/stack.hpp"

namespace coir::detail {

// What Valgrind has to be told about one execution context. This one tells nobody; memcheck.hpp has
// the same members.
class valgrind_annotations {
public:
    void attach(const stack&) noexcept {}
    void detach() noexcept {}
};

}  // namespace coir::detail
