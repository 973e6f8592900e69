// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "elf_image.hpp"

#include <optional>
#include <string>
#include <vector>

namespace coir::hook_audit {

// The dynamic section of a file, and the strings that it refers to.
class dynamic_section {
public:
    // A file without one counts as one whose dynamic section is empty.
    explicit dynamic_section(const elf_image& image);

    bool empty() const noexcept { return entries_.empty(); }
    // The value of the last entry with that tag, as the dynamic linker takes it.
    std::optional<std::uint64_t> value(std::int64_t tag) const noexcept;
    // The same where absent means nought.
    std::uint64_t flags(std::int64_t tag) const noexcept { return value(tag).value_or(0); }
    // The strings that all the entries with that tag, or the last one, refer to.
    std::vector<std::string> strings(std::int64_t tag) const;
    std::optional<std::string> string(std::int64_t tag) const;
    // The string at an index of the string table.
    std::string_view string_of(std::uint64_t index) const;

private:
    const elf_image& image_;
    std::vector<Elf64_Dyn> entries_;
    std::span<const std::byte> strings_;
};

}  // namespace coir::hook_audit
