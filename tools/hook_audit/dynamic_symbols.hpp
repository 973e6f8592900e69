// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "dynamic_section.hpp"
#include "elf_image.hpp"

#include <string_view>
#include <vector>

namespace coir::hook_audit {

// A symbol that a file imports or defines for the dynamic linker.
struct dynamic_symbol {
    std::string_view name;
    // The version that an import asks for, such as GLIBC_2.2.5; empty where it asks for none.
    std::string_view version;
    bool defined;
};

// Functions alone, and what is not known to be none: imports often have no type. The names live as
// long as the image.
std::vector<dynamic_symbol> read_dynamic_symbols(const elf_image& image,
                                                 const dynamic_section& dynamic);

}  // namespace coir::hook_audit
