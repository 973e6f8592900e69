// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>

namespace coir::hook_audit {

// Instructions in a file's code that look like system calls made without libc. No more than a hint:
// the code is searched for bytes, not disassembled, so some may be parts of other instructions, and
// others may be overlooked.
struct raw_system_calls {
    // Places that look like one with all that belongs to it.
    std::uint64_t places = 0;
    // The system calls that they make, where the number is loaded right before.
    std::set<std::uint32_t> numbers;

    // Adds what a piece of code holds.
    void scan_x86_64(std::span<const std::byte> code);
    void scan_aarch64(std::span<const std::byte> code);
    // The one of the two that is of this machine.
    void scan(std::span<const std::byte> code);
};

// The name of a system call of this machine that can block its caller; empty for others.
std::string_view blocking_system_call(std::uint32_t number) noexcept;

}  // namespace coir::hook_audit
