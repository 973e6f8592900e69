// SPDX-License-Identifier: BSL-1.0
#include <coir/detail/spin_lock.hpp>

#include "base/system_calls.hpp"

namespace coir::detail {

void spin_wait::give_way() noexcept { sys.sched_yield(); }

}  // namespace coir::detail
