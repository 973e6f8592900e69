// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "loaded_file.hpp"
#include "loader_cache.hpp"

#include <optional>
#include <string>
#include <vector>

namespace coir::hook_audit {

// Where the dynamic linker looks for what DT_NEEDED names (ld.so(8)): DT_RPATH of the file and of
// those who loaded it, LD_LIBRARY_PATH, DT_RUNPATH of the file, /etc/ld.so.cache, the system's
// folders. Where a name has a slash it is a path. What is of another machine is passed over.
class library_search {
public:
    // LD_LIBRARY_PATH and the cache are looked at as they are now.
    library_search();
    library_search(std::string library_path, loader_cache cache,
                   std::vector<std::string> system_folders);

    // The path of the library as the linker would open it; nothing where it finds none.
    std::optional<std::string> find(const std::string& name, const loaded_file& from) const;

private:
    std::string library_path_;
    loader_cache cache_;
    std::vector<std::string> system_folders_;
};

}  // namespace coir::hook_audit
