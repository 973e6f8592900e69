// SPDX-License-Identifier: BSL-1.0
#include "dynamic_section.hpp"

#include "read_at.hpp"

namespace coir::hook_audit {

dynamic_section::dynamic_section(const elf_image& image) : image_(image) {
    const Elf64_Phdr* segment = image.segment(PT_DYNAMIC);
    if (segment == nullptr) {
        return;
    }
    const auto bytes = image.bytes(segment->p_offset, segment->p_filesz, "the dynamic section");
    for (std::uint64_t at = 0;; at += sizeof(Elf64_Dyn)) {
        const auto entry = read_at<Elf64_Dyn>(bytes, at);
        if (!entry || entry->d_tag == DT_NULL) {
            break;
        }
        entries_.push_back(*entry);
    }
    if (const auto table = value(DT_STRTAB)) {
        strings_ = image.bytes_at(*table, flags(DT_STRSZ), "the strings of the dynamic section");
    }
}

std::optional<std::uint64_t> dynamic_section::value(std::int64_t tag) const noexcept {
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
        if (entry->d_tag == tag) {
            return entry->d_un.d_val;
        }
    }
    return std::nullopt;
}

std::vector<std::string> dynamic_section::strings(std::int64_t tag) const {
    std::vector<std::string> found;
    for (const Elf64_Dyn& entry : entries_) {
        if (entry.d_tag == tag) {
            found.emplace_back(string_of(entry.d_un.d_val));
        }
    }
    return found;
}

std::optional<std::string> dynamic_section::string(std::int64_t tag) const {
    const auto index = value(tag);
    return index ? std::optional<std::string>(string_of(*index)) : std::nullopt;
}

std::string_view dynamic_section::string_of(std::uint64_t index) const {
    const auto text = string_at(strings_, index);
    if (!text) {
        image_.throw_malformed("a string of the dynamic section");
    }
    return *text;
}

}  // namespace coir::hook_audit
