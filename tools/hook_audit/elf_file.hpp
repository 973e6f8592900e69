// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "raw_system_calls.hpp"

#include <optional>
#include <string>
#include <vector>

namespace coir::hook_audit {

// What an ELF file says of itself, as the dynamic linker reads it: by its segments, its dynamic
// section and its dynamic symbols. Section headers may be missing.
struct elf_file {
    enum class kind { shared_library, program, static_program };

    std::string path;
    kind what = kind::shared_library;
    // The name that others need it by (DT_SONAME); empty where it has none.
    std::string soname;
    // The dynamic linker that a program asks for (PT_INTERP); empty where it asks for none.
    std::string interpreter;
    // DT_NEEDED, in order.
    std::vector<std::string> needed;
    // Folders to search for these, as they are written; a file with DT_RUNPATH has no DT_RPATH.
    std::optional<std::string> rpath;
    std::optional<std::string> runpath;
    // DF_1_NODEFLIB: the system's folders are not searched for them.
    bool no_default_folders = false;
    // Its own definitions come first for itself (DT_SYMBOLIC, as the linker's -Bsymbolic sets it).
    bool symbolic = false;
    // Functions that it takes from elsewhere. Those whose version tells that they are no part of
    // glibc or the C++ runtime are left out: other libraries may have functions of the same name.
    std::vector<std::string> imports;
    // Functions that it defines for others to import.
    std::vector<std::string> definitions;
    // Of glibc, which consists of them, they are not counted.
    raw_system_calls raw_calls;
};

// Whether it is glibc's libc or its dynamic linker.
bool is_glibc(const elf_file& file) noexcept;

// Throws unreadable_file.
elf_file read_elf_file(const std::string& path);

}  // namespace coir::hook_audit
