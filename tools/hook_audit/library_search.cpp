// SPDX-License-Identifier: BSL-1.0
#include "library_search.hpp"

#include "elf_image.hpp"
#include "native_machine.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

namespace coir::hook_audit {
namespace {

std::vector<std::string> folders_of_the_system() {
    const std::string multiarch(multiarch_name);
    return {"/lib/" + multiarch, "/usr/lib/" + multiarch, "/lib64", "/usr/lib64", "/lib",
            "/usr/lib"};
}

// Puts what they stand for in the place of $ORIGIN, $LIB and $PLATFORM, with braces or without.
std::string expanded(std::string_view path, const std::string& origin) {
    const std::pair<std::string_view, std::string> tokens[] = {
        {"ORIGIN", origin},
        {"LIB", "lib/" + std::string(multiarch_name)},
        {"PLATFORM", std::string(platform_name)},
    };
    std::string result;
    while (!path.empty()) {
        bool replaced = false;
        for (const auto& [token, value] : tokens) {
            for (const std::string& written :
                 {"$" + std::string(token), "${" + std::string(token) + "}"}) {
                if (!replaced && path.starts_with(written)) {
                    result += value;
                    path.remove_prefix(written.size());
                    replaced = true;
                }
            }
        }
        if (!replaced) {
            result += path.front();
            path.remove_prefix(1);
        }
    }
    return result;
}

// The folders of a list; an empty one is the current folder.
std::vector<std::string> split(std::string_view list, std::string_view separators) {
    std::vector<std::string> folders;
    for (;;) {
        const std::size_t end = list.find_first_of(separators);
        const std::string_view folder = list.substr(0, end);
        folders.emplace_back(folder.empty() ? "." : folder);
        if (end == std::string_view::npos) {
            return folders;
        }
        list.remove_prefix(end + 1);
    }
}

// The linker stops at a file that is there and of its machine, even where it is malformed.
bool linker_would_take(const std::string& path) {
    try {
        const elf_image image(path);
        return true;
    } catch (const unreadable_file& error) {
        return error.why() == unreadable_file::cause::malformed;
    }
}

std::optional<std::string> find_in(const std::vector<std::string>& folders,
                                   const std::string& origin, const std::string& name) {
    for (const std::string& folder : folders) {
        std::string path = expanded(folder, origin) + "/" + name;
        if (linker_would_take(path)) {
            return path;
        }
    }
    return std::nullopt;
}

}  // namespace

library_search::library_search()
    : library_search(
          std::getenv("LD_LIBRARY_PATH") != nullptr ? std::getenv("LD_LIBRARY_PATH") : "",
          loader_cache::of_file("/etc/ld.so.cache"), folders_of_the_system()) {}

library_search::library_search(std::string library_path, loader_cache cache,
                               std::vector<std::string> system_folders)
    : library_path_(std::move(library_path)),
      cache_(std::move(cache)),
      system_folders_(std::move(system_folders)) {}

std::optional<std::string> library_search::find(const std::string& name,
                                                const loaded_file& from) const {
    if (name.find('/') != std::string::npos) {
        const std::string path = expanded(name, from.origin);
        return linker_would_take(path) ? std::optional(path) : std::nullopt;
    }
    std::optional<std::string> found;
    if (!from.elf.runpath) {
        for (const loaded_file* each = &from; each != nullptr && !found; each = each->loaded_by) {
            if (each->elf.rpath) {
                found = find_in(split(*each->elf.rpath, ":"), each->origin, name);
            }
        }
    }
    if (!found && !library_path_.empty()) {
        const loaded_file* first = &from;
        while (first->loaded_by != nullptr) {
            first = first->loaded_by;
        }
        found = find_in(split(library_path_, ":;"), first->origin, name);
    }
    if (!found && from.elf.runpath) {
        found = find_in(split(*from.elf.runpath, ":"), from.origin, name);
    }
    if (!found && !from.elf.no_default_folders) {
        const auto cached = cache_.find(name);
        found = cached && linker_would_take(*cached) ? cached
                                                     : find_in(system_folders_, from.origin, name);
    }
    return found;
}

}  // namespace coir::hook_audit
