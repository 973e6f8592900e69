// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>

#include "context/guard/guard_kind.hpp"

namespace coir {

inline std::ostream& operator<<(std::ostream& out, guard_kind kind) {
    switch (kind) {
        case guard_kind::automatic: return out << "automatic";
        case guard_kind::madvise: return out << "madvise";
        case guard_kind::mprotect: return out << "mprotect";
    }
    return out;
}

}  // namespace coir
