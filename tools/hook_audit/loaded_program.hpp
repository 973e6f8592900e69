// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "library_search.hpp"
#include "loaded_file.hpp"

#include <deque>
#include <string>
#include <vector>

namespace coir::hook_audit {

// A library that is needed and not there.
struct lost_library {
    std::string name;
    std::string needed_by;
    // Why it cannot be read; empty where it was not found.
    std::string reason;
};

// A file and what it loads, directly or not, in the order in which symbols are searched: breadth
// first, each file once. It may be moved and not copied, for there are pointers to the files.
struct loaded_program {
    loaded_program() = default;
    loaded_program(loaded_program&&) = default;
    loaded_program& operator=(loaded_program&&) = default;

    std::deque<loaded_file> files;
    std::vector<lost_library> lost;
};

enum class dependencies { followed, left_out };

// Throws unreadable_file where the first file cannot be read. Nothing is followed from glibc, from
// a static program, or where another libc is at work, whose linker searches elsewhere.
loaded_program load_program(const std::string& path, const library_search& search,
                            dependencies which);

// The libc other than glibc that a file is linked with; empty for glibc.
std::string other_libc_of(const elf_file& file);

}  // namespace coir::hook_audit
