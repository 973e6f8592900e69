// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace coir::hook_audit {

// What becomes of a call in a fiber; lib/hook/calls.def says what each one means. Those that need
// the porter's attention come last.
enum class treatment { hooked, offloaded, wrapped, optional, passed, missed };

inline constexpr std::size_t treatment_count = 6;

std::string_view name_of(treatment t) noexcept;

// Whether the hook library does something about the call whatever its options are.
bool is_taken(treatment t) noexcept;

// One entry of lib/hook/calls.def.
struct call {
    treatment treated;
    std::string_view family;
    std::string_view name;
    std::string_view note;
};

// All entries, ordered by name.
std::span<const call> all_calls() noexcept;

// The entry of that name; null for what cannot block.
const call* find_call(std::string_view name) noexcept;

}  // namespace coir::hook_audit
