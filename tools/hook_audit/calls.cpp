// SPDX-License-Identifier: BSL-1.0
#include "calls.hpp"

#include <algorithm>
#include <array>

namespace coir::hook_audit {
namespace {

constexpr auto sorted(auto calls) {
    std::ranges::sort(calls, {}, &call::name);
    return calls;
}

constexpr auto calls = sorted(std::to_array<call>({
#define COIR_CALL(treated, family, name, note) {treatment::treated, #family, #name, note},
#include "hook/calls.def"
#undef COIR_CALL
}));

static_assert(std::ranges::adjacent_find(calls, {}, &call::name) == calls.end(),
              "a function is in calls.def twice");

}  // namespace

std::string_view name_of(treatment t) noexcept {
    switch (t) {
        case treatment::hooked: return "hooked";
        case treatment::offloaded: return "offloaded";
        case treatment::wrapped: return "wrapped";
        case treatment::optional: return "optional";
        case treatment::passed: return "passed";
        case treatment::missed: return "missed";
    }
    return "unknown";
}

bool is_taken(treatment t) noexcept {
    return t == treatment::hooked || t == treatment::offloaded || t == treatment::wrapped;
}

std::span<const call> all_calls() noexcept { return calls; }

const call* find_call(std::string_view name) noexcept {
    const auto found = std::ranges::lower_bound(calls, name, {}, &call::name);
    return found != calls.end() && found->name == name ? &*found : nullptr;
}

}  // namespace coir::hook_audit
