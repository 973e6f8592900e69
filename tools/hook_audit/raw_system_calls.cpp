// SPDX-License-Identifier: BSL-1.0
#include "raw_system_calls.hpp"

#include "read_at.hpp"

#include <sys/syscall.h>
#include <algorithm>
#include <cstring>
#include <optional>

namespace coir::hook_audit {
namespace {

// The kernel's numbers are below this one; a larger one is no number of a system call.
constexpr std::uint32_t most_system_calls = 1024;

// How many bytes before the instruction are searched for what loads the number: arguments are
// loaded in between.
constexpr std::size_t bytes_before = 48;

bool has(std::span<const std::byte> code, std::size_t at, std::initializer_list<int> wanted) {
    if (at > code.size() || code.size() - at < wanted.size()) {
        return false;
    }
    return std::ranges::equal(code.subspan(at, wanted.size()), wanted, {},
                              [](std::byte b) { return std::to_integer<int>(b); });
}

// The number that `mov $number, %eax` (B8; with 41 before it is another register) or
// `mov $number, %rax` (C7 C0) loads last before the instruction.
std::optional<std::uint32_t> number_before(std::span<const std::byte> code, std::size_t at) {
    const std::size_t first = at > bytes_before ? at - bytes_before : 0;
    for (std::size_t i = at; i-- > first;) {
        const bool loads = (has(code, i, {0xb8}) && (i == 0 || !has(code, i - 1, {0x41}))) ||
                           (i > 0 && has(code, i - 1, {0xc7, 0xc0}));
        const auto number = read_at<std::uint32_t>(code.first(at), i + 1);
        if (loads && number && *number < most_system_calls) {
            return number;
        }
    }
    return std::nullopt;
}

// `cmp $-4096, %rax` or so: an error is told from a result in this way and no other.
bool error_check_at(std::span<const std::byte> code, std::size_t at) {
    const std::size_t compares = has(code, at, {0x48, 0x3d}) ? at + 2 : at + 1;
    if (compares == at + 1 && !has(code, at, {0x3d})) {
        return false;
    }
    return has(code, compares, {0x00, 0xf0, 0xff, 0xff}) ||
           has(code, compares, {0x01, 0xf0, 0xff, 0xff});
}

}  // namespace

// Bytes 0F 05. With 00 after them they are most likely part of the distance in a jump or a load.
void raw_system_calls::scan_x86_64(std::span<const std::byte> code) {
    const auto next = [&](std::size_t from) -> std::size_t {
        const void* found = from < code.size()
                                ? std::memchr(code.data() + from, 0x0f, code.size() - from)
                                : nullptr;
        return found == nullptr
                   ? code.size()
                   : static_cast<std::size_t>(static_cast<const std::byte*>(found) - code.data());
    };
    for (std::size_t at = next(0); at < code.size(); at = next(at + 1)) {
        if (!has(code, at, {0x0f, 0x05}) || has(code, at + 2, {0x00})) {
            continue;
        }
        if (const auto number = number_before(code, at)) {
            ++places;
            numbers.insert(*number);
        } else if (error_check_at(code, at + 2)) {
            ++places;
        }
    }
}

// All instructions have four bytes, so svc #0 cannot be part of another one; it can be part of
// data. The number is in w8.
void raw_system_calls::scan_aarch64(std::span<const std::byte> code) {
    for (std::size_t at = 0; at + 4 <= code.size(); at += 4) {
        if (!has(code, at, {0x01, 0x00, 0x00, 0xd4})) {
            continue;
        }
        ++places;
        const std::size_t first = at > bytes_before ? at - bytes_before : 0;
        for (std::size_t before = at; before > first; before -= 4) {
            const auto instruction = read_at<std::uint32_t>(code, before - 4).value_or(0);
            // movz w8, #number or movz x8, #number
            if ((instruction & 0x7fe0001fU) == 0x52800008U) {
                numbers.insert(instruction >> 5 & 0xffff);
                break;
            }
        }
    }
}

void raw_system_calls::scan(std::span<const std::byte> code) {
#if defined(__x86_64__)
    scan_x86_64(code);
#else
    scan_aarch64(code);
#endif
}

std::string_view blocking_system_call(std::uint32_t number) noexcept {
    enum class reason { waits, works };
    switch (number) {
#define COIR_SYSTEM_CALL(why, name) \
    case SYS_##name:                \
        return reason::why == reason::waits ? #name : std::string_view();
#include "hook/system_calls.def"
#undef COIR_SYSTEM_CALL
        default: return {};
    }
}

}  // namespace coir::hook_audit
