// SPDX-License-Identifier: BSL-1.0
#include "loader_cache.hpp"

#include "native_machine.hpp"
#include "read_at.hpp"

#include <fstream>
#include <iterator>
#include <vector>

namespace coir::hook_audit {
namespace {

// The file as glibc writes it since 2.1 (sysdeps/generic/dl-cache.h): a head, an entry for each
// library, and strings, which entries refer to by their distance from the head.
struct cache_head {
    char magic[20];
    std::uint32_t entries;
    std::uint32_t string_bytes;
    std::uint8_t flags;
    std::uint8_t unused[3];
    std::uint32_t extensions_at;
    std::uint32_t unused_too[3];
};
static_assert(sizeof(cache_head) == 48);

struct cache_entry {
    std::int32_t flags;
    std::uint32_t name_at;
    std::uint32_t path_at;
    std::uint32_t system_version;
    std::uint64_t capabilities;
};
static_assert(sizeof(cache_entry) == 24);

constexpr std::string_view magic = "glibc-ld.so.cache1.1";

}  // namespace

loader_cache::loader_cache(std::span<const std::byte> bytes) {
    const auto head = read_at<cache_head>(bytes, 0);
    if (!head || std::string_view(head->magic, sizeof head->magic) != magic) {
        return;
    }
    for (std::uint64_t i = 0; i < head->entries; ++i) {
        const auto entry = read_at<cache_entry>(bytes, sizeof *head + i * sizeof(cache_entry));
        if (!entry) {
            return;
        }
        const auto name = string_at(bytes, entry->name_at);
        const auto path = string_at(bytes, entry->path_at);
        if (name && path && entry->flags == cache_flags && entry->capabilities == 0) {
            paths_.try_emplace(std::string(*name), *path);
        }
    }
}

loader_cache loader_cache::of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    return loader_cache(std::as_bytes(std::span(bytes)));
}

std::optional<std::string> loader_cache::find(const std::string& name) const {
    const auto found = paths_.find(name);
    return found == paths_.end() ? std::nullopt : std::optional<std::string>(found->second);
}

}  // namespace coir::hook_audit
