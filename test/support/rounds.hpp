// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::test {

// How often threads that have to meet by chance try to. Valgrind runs one of them at a time, for
// milliseconds in a row, so that they seldom do.
constexpr int rounds(int natively) noexcept {
#ifdef COIR_VALGRIND
    constexpr int fewer = 20;
#else
    constexpr int fewer = 1;
#endif
    return natively / fewer;
}

}  // namespace coir::test
