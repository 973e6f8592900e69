// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scheduler.hpp"

#include <coir/run_options.hpp>

namespace coir::detail {

// What the schedulers of a run are made with. Throws std::invalid_argument.
scheduler::settings settings_of(const run_options& options);

}  // namespace coir::detail
