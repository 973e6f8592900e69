// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/run_options.hpp>

namespace coir::detail {

// By which means the page below a stack is made inaccessible; users choose it, so it is public.
using coir::guard_kind;

}  // namespace coir::detail
