// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace coir::detail {

// Bytes in a page of memory: 4096 on x86-64, 4096 to 65536 on aarch64. Async-signal-safe after its
// first call.
inline std::size_t page_size() noexcept {
    static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
}

constexpr std::size_t round_up(std::size_t value, std::size_t power_of_two) noexcept {
    return (value + power_of_two - 1) & ~(power_of_two - 1);
}

}  // namespace coir::detail
