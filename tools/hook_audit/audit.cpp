// SPDX-License-Identifier: BSL-1.0
#include "audit.hpp"

#include "elf_image.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

namespace coir::hook_audit {
namespace {

// Libraries that others take these functions from, rightly. The C++ runtime has the guards of
// static locals; before glibc 2.34 threads, timers and the resolver were libraries of their own;
// and a sanitizer's library hands each call on to who stands behind it, which is the hook library.
bool is_home_of_listed_calls(const elf_file& file) {
    constexpr std::string_view homes[] = {"libstdc++.so.",  "libc++abi.so.", "libc++.so.",
                                          "libpthread.so.", "librt.so.",     "libresolv.so.",
                                          "libanl.so.",     "libasan.so.",   "libtsan.so.",
                                          "liblsan.so.",    "libubsan.so."};
    return std::ranges::any_of(
        homes, [&](std::string_view home) { return file.soname.starts_with(home); });
}

// Whether libcoir-hook.a was linked into it. Nobody else defines these two: what takes calls of
// libc for other purposes forgets how _FORTIFY_SOURCE has them.
bool has_hooks_inside(const elf_file& file) {
    const auto defines = [&](std::string_view name) {
        return std::ranges::find(file.definitions, name) != file.definitions.end();
    };
    return defines("__poll_chk") && defines("__ppoll_chk");
}

bool is_hook_library(const elf_file& file) { return file.soname.starts_with("libcoir-hook.so"); }

std::string_view why_skipped(const elf_file& file) {
    if (is_glibc(file)) {
        return "what libc calls inside of itself cannot be taken";
    }
    if (is_hook_library(file) || file.soname.starts_with("libcoir.so")) {
        return "coir's own";
    }
    return {};
}

// Ordered and each once: a symbol may be there in several versions.
std::set<std::string> each_once(const std::vector<std::string>& names) {
    return {names.begin(), names.end()};
}

std::vector<judged_call> judge_calls(const elf_file& file) {
    const bool hooks_work = other_libc_of(file).empty();
    std::vector<judged_call> calls;
    for (const std::string& name : each_once(file.imports)) {
        const call* listed = find_call(name);
        if (listed == nullptr) {
            continue;
        }
        if (hooks_work) {
            calls.push_back({listed, listed->treated, listed->note});
        } else {
            calls.push_back({listed, treatment::missed, "the hook library is for glibc"});
        }
    }
    return calls;
}

std::vector<std::string> taken_among(const std::vector<std::string>& names) {
    std::vector<std::string> taken;
    for (const std::string& name : each_once(names)) {
        const call* listed = find_call(name);
        if (listed != nullptr && is_taken(listed->treated)) {
            taken.push_back(name);
        }
    }
    return taken;
}

void judge_definitions(const elf_file& file, std::vector<escape>& escapes) {
    std::vector<std::string> own = taken_among(file.definitions);
    if (own.empty() || is_home_of_listed_calls(file) || has_hooks_inside(file)) {
        return;
    }
    if (file.symbolic) {
        escapes.push_back(
            {escape::kind::own_definition_for_itself,
             "is linked with -Bsymbolic, so its own definitions come first for itself",
             std::move(own)});
    } else if (file.what == elf_file::kind::shared_library) {
        escapes.push_back({escape::kind::own_definition,
                           "its own definitions come first where it stands before coir's hook "
                           "library in the link order",
                           std::move(own)});
    } else {
        escapes.push_back({escape::kind::own_definition,
                           "a program's own definitions come first for all", std::move(own)});
    }
}

void judge_libc(const elf_file& file, std::vector<escape>& escapes) {
    if (file.what == elf_file::kind::static_program) {
        escapes.push_back(
            {escape::kind::static_program, "libc is linked into it, so nothing can be hooked", {}});
        return;
    }
    if (const std::string other = other_libc_of(file); !other.empty()) {
        escapes.push_back({escape::kind::other_libc,
                           "is linked with " + other + ", and the hook library is for glibc",
                           {}});
    }
}

// What shows in the order of all files alone.
void judge_order(const loaded_program& program, std::vector<escape>& escapes) {
    const auto& files = program.files;
    const auto at = [&](auto predicate) {
        return std::ranges::find_if(files, predicate, &loaded_file::elf);
    };
    const auto libc = at([](const elf_file& file) { return file.soname == "libc.so.6"; });
    const auto hooks = at(is_hook_library);
    if (hooks != files.end() && libc < hooks) {
        escapes.push_back({escape::kind::late_hooks,
                           "libc.so.6 stands before " + hooks->elf.soname +
                               " in the order of search, so nothing is hooked: link coir's hook "
                               "library first, or preload it",
                           {}});
    }
    const elf_file& first = files.front().elf;
    if (first.what == elf_file::kind::program && other_libc_of(first).empty() &&
        libc == files.end() && program.lost.empty()) {
        escapes.push_back({escape::kind::no_libc,
                           "neither it nor what it loads needs libc: what it calls is its own",
                           {}});
    }
}

judged_file judge(const loaded_file& file) {
    judged_file judged{&file, why_skipped(file.elf), false, {}, {}};
    if (!judged.skipped.empty()) {
        return judged;
    }
    judged.has_hooks = has_hooks_inside(file.elf);
    judge_libc(file.elf, judged.escapes);
    judge_definitions(file.elf, judged.escapes);
    judged.calls = judge_calls(file.elf);
    return judged;
}

}  // namespace

std::string_view name_of(escape::kind kind) noexcept {
    switch (kind) {
        case escape::kind::static_program: return "static";
        case escape::kind::other_libc: return "other_libc";
        case escape::kind::no_libc: return "no_libc";
        case escape::kind::glibc: return "glibc";
        case escape::kind::late_hooks: return "late_hooks";
        case escape::kind::own_definition: return "own_definition";
        case escape::kind::own_definition_for_itself: return "symbolic";
    }
    return "unknown";
}

call_counts count_calls(const std::vector<judged_call>& calls) noexcept {
    call_counts counts{};
    for (const judged_call& each : calls) {
        ++counts[static_cast<std::size_t>(each.treated)];
    }
    return counts;
}

call_counts audit::counts() const noexcept {
    call_counts sum{};
    for (const judged_file& file : files) {
        const call_counts counts = count_calls(file.calls);
        std::ranges::transform(sum, counts, sum.begin(), std::plus<>());
    }
    return sum;
}

std::size_t audit::escapes() const noexcept {
    std::size_t sum = 0;
    for (const judged_file& file : files) {
        sum += file.escapes.size();
    }
    return sum;
}

int audit::status() const noexcept {
    if (!error.empty() || !program.lost.empty()) {
        return 2;
    }
    const bool all_taken = std::ranges::all_of(files, [](const judged_file& file) {
        return file.escapes.empty() &&
               std::ranges::all_of(file.calls, is_taken, &judged_call::treated);
    });
    return all_taken ? 0 : 1;
}

audit audit_file(const std::string& path, const library_search& search, dependencies which) {
    audit result;
    result.path = path;
    try {
        result.program = load_program(path, search, which);
    } catch (const unreadable_file& error) {
        result.error = error.reason();
        return result;
    }
    for (const loaded_file& file : result.program.files) {
        result.files.push_back(judge(file));
    }
    judged_file& first = result.files.front();
    if (is_glibc(first.file->elf)) {
        first.escapes.push_back({escape::kind::glibc, std::string(first.skipped), {}});
    } else if (which == dependencies::followed) {
        judge_order(result.program, first.escapes);
    }
    return result;
}

}  // namespace coir::hook_audit
