// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace coir::hook::detail {

// What the hook layer does about a function of libc; calls.def says what each means.
enum class treatment : std::uint8_t { hooked, offloaded, wrapped, optional, passed, missed };

// The functions of libc that can block their caller.
enum class call : std::uint16_t {
#define COIR_CALL(treatment, family, name, note) name,
#include "hook/calls.def"
#undef COIR_CALL
};

struct call_description {
    const char* name;
    treatment how;

    // Whether there is a function of ours that is called in its place.
    constexpr bool is_taken() const noexcept { return how < treatment::passed; }
};

inline constexpr call_description call_descriptions[] = {
#define COIR_CALL(how, family, name, note) {#name, treatment::how},
#include "hook/calls.def"
#undef COIR_CALL
};

inline constexpr std::size_t call_count = sizeof call_descriptions / sizeof call_descriptions[0];

constexpr const call_description& describe(call which) noexcept {
    return call_descriptions[static_cast<std::size_t>(which)];
}

}  // namespace coir::hook::detail
