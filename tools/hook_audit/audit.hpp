// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "calls.hpp"
#include "loaded_program.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace coir::hook_audit {

// An import that can block, and what becomes of it. That may be worse than the list has it: where
// another libc is at work nothing is hooked.
struct judged_call {
    const call* listed;
    treatment treated;
    std::string_view note;
};

// A way around the hooks that a file has as a whole. The calls that are one (syscall, dlopen) are
// among its calls.
struct escape {
    enum class kind {
        static_program,  // libc is inside of it
        other_libc,
        no_libc,                    // a program that loads none
        glibc,                      // the file is libc itself
        late_hooks,                 // libc stands before the hook library in the order of search
        own_definition,             // it defines functions that the hook library defines
        own_definition_for_itself,  // and linked with -Bsymbolic it is the first to be asked
    };
    kind what;
    std::string note;
    // The functions that are meant; may be empty.
    std::vector<std::string> names;
};

std::string_view name_of(escape::kind kind) noexcept;

// One file of a program.
struct judged_file {
    const loaded_file* file;
    // Why it was not examined; empty where it was.
    std::string_view skipped;
    // Coir's hook library was linked into it.
    bool has_hooks;
    // Ordered by name.
    std::vector<judged_call> calls;
    std::vector<escape> escapes;
};

// How many calls there are of each treatment, by its number.
using call_counts = std::array<std::size_t, treatment_count>;

call_counts count_calls(const std::vector<judged_call>& calls) noexcept;

// What coir-hook-audit has to say of one FILE.
struct audit {
    std::string path;
    // Why it cannot be read; empty where it can.
    std::string error;
    loaded_program program;
    std::vector<judged_file> files;

    call_counts counts() const noexcept;
    std::size_t escapes() const noexcept;
    // 0 where everything is taken, 1 where something is not, 2 where something could not be read.
    int status() const noexcept;
};

// Never throws because of what is in the files.
audit audit_file(const std::string& path, const library_search& search, dependencies which);

}  // namespace coir::hook_audit
