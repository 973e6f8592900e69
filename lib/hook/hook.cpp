// SPDX-License-Identifier: BSL-1.0
#include <coir/hook/hook.hpp>

#include "hook/interpose.hpp"

#include <coir/detail/interposition.hpp>

#include <cstring>
#include <stdexcept>
#include <string>

namespace coir::hook {

bool active() noexcept { return detail::takes_call(); }

passthrough_scope::passthrough_scope() noexcept { coir::detail::begin_passthrough(); }
passthrough_scope::~passthrough_scope() { coir::detail::end_passthrough(); }

namespace detail {

void* original_by_name(const char* name) {
    for (std::size_t i = 0; i < call_count; ++i) {
        const auto which = static_cast<call>(i);
        if (std::strcmp(describe(which).name, name) == 0 && describe(which).is_taken()) {
            return original_address(which);
        }
    }
    throw std::invalid_argument("coir::hook::original: '" + std::string(name) +
                                "' is no function that is taken");
}

}  // namespace detail

}  // namespace coir::hook
