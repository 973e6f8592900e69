// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>

namespace coir::hook_audit {

// What ldconfig found in the folders of /etc/ld.so.conf: libraries of this machine by the name that
// others need them by. What exists for some processors alone (glibc-hwcaps) is left out.
class loader_cache {
public:
    loader_cache() = default;
    // Of the bytes of an ld.so.cache; what is not understood is left out.
    explicit loader_cache(std::span<const std::byte> bytes);
    // Of a file; empty where it cannot be read, as the dynamic linker has it.
    static loader_cache of_file(const std::string& path);

    std::optional<std::string> find(const std::string& name) const;

private:
    std::map<std::string, std::string, std::less<>> paths_;
};

}  // namespace coir::hook_audit
