// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::detail {

// Where a call was written: std::source_location for C++17, as a default argument.
struct source_place {
    const char* file = "";
    int line = 0;

    static constexpr source_place here(const char* file = __builtin_FILE(),
                                       int line = __builtin_LINE()) noexcept {
        return {file, line};
    }
};

}  // namespace coir::detail
