// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace coir::hook_audit {

// Reading of bytes that nobody vouches for: every read says where it would leave them.

// The object that starts at the offset, whose alignment does not matter; nothing where it does not
// lie within the bytes.
template <class T>
std::optional<T> read_at(std::span<const std::byte> bytes, std::uint64_t offset) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) {
        return std::nullopt;
    }
    T object;
    std::memcpy(&object, bytes.data() + offset, sizeof object);
    return object;
}

// The string that starts at the offset; nothing where its end does not lie within the bytes.
inline std::optional<std::string_view> string_at(std::span<const std::byte> bytes,
                                                 std::uint64_t offset) noexcept {
    if (offset >= bytes.size()) {
        return std::nullopt;
    }
    const auto* start = reinterpret_cast<const char*>(bytes.data() + offset);
    const void* end = std::memchr(start, 0, bytes.size() - offset);
    if (end == nullptr) {
        return std::nullopt;
    }
    return std::string_view(start, static_cast<const char*>(end));
}

}  // namespace coir::hook_audit
