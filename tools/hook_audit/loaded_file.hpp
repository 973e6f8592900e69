// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "elf_file.hpp"

#include <string>

namespace coir::hook_audit {

// A file of a program as the dynamic linker has it in memory.
struct loaded_file {
    elf_file elf;
    // What $ORIGIN is to it.
    std::string origin;
    // By what name it was needed, and who needed it first; empty and null for the first file.
    std::string name;
    const loaded_file* loaded_by = nullptr;
};

}  // namespace coir::hook_audit
