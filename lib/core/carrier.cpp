// SPDX-License-Identifier: BSL-1.0
#include <coir/carrier.hpp>

#include "core/scheduler.hpp"

namespace coir::this_carrier {

using detail::scheduler;

int number() noexcept {
    const scheduler* const here = scheduler::current();
    return here != nullptr ? static_cast<int>(here->number()) : -1;
}

std::size_t count() noexcept {
    scheduler* const here = scheduler::current();
    return here != nullptr ? here->carriers().size() : 0;
}

}  // namespace coir::this_carrier
