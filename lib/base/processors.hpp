// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace coir::detail {

// On how many processors the calling thread may run, and hence those that it starts. At least 1.
std::size_t available_processors() noexcept;

}  // namespace coir::detail
