// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace coir::test {

// How often the calling thread has called the global operator new, which allocations.cpp replaces
// in the whole program.
std::size_t allocations() noexcept;

}  // namespace coir::test
