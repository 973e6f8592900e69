// SPDX-License-Identifier: BSL-1.0
#include "loaded_program.hpp"

#include "elf_image.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace coir::hook_audit {
namespace {

namespace fs = std::filesystem;

fs::path canonical(const std::string& path) {
    std::error_code failed;
    const fs::path result = fs::canonical(path, failed);
    return failed ? fs::path(path) : result;
}

// A program's $ORIGIN is where it is, that of a library where it was found, which may be a link.
std::string origin_of(const elf_file& file) {
    std::error_code failed;
    const fs::path path = file.what == elf_file::kind::shared_library
                              ? fs::absolute(file.path, failed).lexically_normal()
                              : canonical(file.path);
    return path.parent_path().string();
}

std::string file_name(const std::string& path) { return fs::path(path).filename().string(); }

class loading {
public:
    loading(const library_search& search, dependencies which) : search_(search), which_(which) {}

    void add_first(const std::string& path) { add(read_elf_file(path), "", nullptr); }

    void add_what_is_needed() {
        // Files are added at the end while this goes through them: breadth first.
        for (std::size_t i = 0; i < program_.files.size(); ++i) {
            const loaded_file& from = program_.files[i];
            if (!is_followed(from.elf)) {
                continue;
            }
            for (const std::string& name : from.elf.needed) {
                if (known_.insert(name).second) {
                    add_needed(name, from);
                }
            }
        }
    }

    loaded_program take() && { return std::move(program_); }

private:
    bool is_followed(const elf_file& file) const {
        return which_ == dependencies::followed && !is_glibc(file) && other_libc_of(file).empty();
    }

    void add_needed(const std::string& name, const loaded_file& from) {
        const auto path = search_.find(name, from);
        if (!path) {
            program_.lost.push_back({name, from.elf.path, ""});
            return;
        }
        if (known_.contains(canonical(*path))) {
            return;
        }
        try {
            add(read_elf_file(*path), name, &from);
        } catch (const unreadable_file& error) {
            program_.lost.push_back({name, from.elf.path, error.what()});
        }
    }

    void add(elf_file file, const std::string& name, const loaded_file* loaded_by) {
        known_.insert(canonical(file.path));
        if (!file.soname.empty()) {
            known_.insert(file.soname);
        }
        std::string origin = origin_of(file);
        program_.files.push_back({std::move(file), std::move(origin), name, loaded_by});
    }

    const library_search& search_;
    const dependencies which_;
    loaded_program program_;
    // Names that were asked for, names that files give themselves, and paths.
    std::set<std::string> known_;
};

}  // namespace

loaded_program load_program(const std::string& path, const library_search& search,
                            dependencies which) {
    loading all(search, which);
    all.add_first(path);
    all.add_what_is_needed();
    return std::move(all).take();
}

std::string other_libc_of(const elf_file& file) {
    const std::string linker = file_name(file.interpreter);
    if (linker.starts_with("ld-musl")) {
        return "musl";
    }
    for (const std::string& name : file.needed) {
        if (name.starts_with("libc.musl")) {
            return "musl";
        }
        // What glibc has under this name is no library but a script for the linker.
        if (name == "libc.so") {
            return "a libc that is not glibc (" + name + ")";
        }
    }
    if (!linker.empty() && !linker.starts_with("ld-linux")) {
        return "a libc that is not glibc (" + file.interpreter + ")";
    }
    return {};
}

}  // namespace coir::hook_audit
