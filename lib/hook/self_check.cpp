// SPDX-License-Identifier: BSL-1.0
// Whether calls reach us. A call from one object to another goes through a slot of the caller's
// that the dynamic linker fills with what it finds first: in the program, then in the libraries in
// the order in which they were loaded. So there are three questions. What would it find first now?
// What is in the slots that are filled already, which may have been filled by other rules? And who
// else has functions of these names, which their owner may call with no slot at all?
#include <coir/hook/hook.hpp>

#include "hook/call.hpp"
#include "hook/linked_object.hpp"
#include "hook/original.hpp"
#include "hook/settings.hpp"

#include <dlfcn.h>
#include <link.h>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <string_view>

namespace coir::hook {

namespace detail {

namespace {

// Where this function is: the program, or libcoir-hook.so.
bool is_ours(const linked_object& object) noexcept {
    return object.contains(reinterpret_cast<const void*>(&is_ours));
}

// The place of ours among all objects.
linked_object own_object() noexcept {
    dl_phdr_info own{};
    ::dl_iterate_phdr(
        [](dl_phdr_info* object, std::size_t, void* result) {
            if (!is_ours(linked_object(*object))) {
                return 0;
            }
            *static_cast<dl_phdr_info*>(result) = *object;
            return 1;
        },
        &own);
    return linked_object(own);
}

std::string file_of(const void* address) {
    Dl_info info{};
    return ::dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname
                                                                      : "an unknown file";
}

bool is_taken(std::string_view name) noexcept {
    for (const call_description& one : call_descriptions) {
        if (name == one.name) {
            return one.is_taken();
        }
    }
    return false;
}

// libc and what belongs to it calls itself; a sanitizer's run-time library stands where we stand.
bool is_exempt(std::string_view file) noexcept {
    const std::string_view name = file.substr(file.rfind('/') + 1);
    for (const std::string_view prefix :
         {"ld-linux", "ld.so", "libc.so", "libpthread", "linux-vdso", "libasan", "libtsan",
          "libubsan", "liblsan", "libclang_rt", "vgpreload"}) {
        if (name.substr(0, prefix.size()) == prefix) {
            return true;
        }
    }
    return false;
}

// libc has no such functions: the C++ library's are those that we stand in front of.
bool is_of_the_language(std::string_view name) noexcept { return name.substr(0, 6) == "__cxa_"; }

// A function that somebody has of his own, by a name that is not libc's alone: see interpose.hpp.
bool is_of_its_own(std::string_view name, const void* address) {
    for (const std::string_view free :
         {"dprintf", "err",    "error",   "error_at_line", "errx",      "getdelim",   "getline",
          "getw",    "herror", "psignal", "putw",          "setbuffer", "setlinebuf", "vdprintf",
          "verr",    "verrx",  "vwarn",   "vwarnx",        "warn",      "warnx"}) {
        if (name == free) {
            return !is_exempt(file_of(address));
        }
    }
    return false;
}

// Calls, by the file that they go to.
using calls_by_file = std::map<std::string, std::string>;

void add(std::string& names, const char* name) {
    names += names.empty() ? "" : ", ";
    names += name;
}

struct search {
    const linked_object ours = own_object();
    std::vector<std::string> findings;
};

// What a call would find first.
void look_at_the_order(search& s) {
    calls_by_file found;
    for (const call_description& one : call_descriptions) {
        if (!one.is_taken()) {
            continue;
        }
        const void* const first = ::dlsym(RTLD_DEFAULT, one.name);
        if (first != nullptr && !s.ours.contains(first) && !is_of_its_own(one.name, first)) {
            add(found[file_of(first)], one.name);
        }
    }
    for (const auto& [file, names] : found) {
        s.findings.push_back(
            file + " comes before coir::hook, so these calls block the thread: " + names +
            ". Link coir::hook into the program, or name " +
            "libcoir-hook.so before it on the linker's command line or first in " + "LD_PRELOAD.");
    }
}

// Calls that are bound elsewhere already.
void look_at_slots(search& s, const std::string& file, const linked_object& object) {
    calls_by_file found;
    object.for_each_slot([&](const char* name, const void* value) {
        if (!object.contains(value) && !s.ours.contains(value) && is_taken(name) &&
            !is_of_its_own(name, value)) {
            add(found[file_of(value)], name);
        }
    });
    for (const auto& [other, names] : found) {
        s.findings.push_back(
            file + " calls " + names + " of " + other + ", past coir::hook, and blocks the " +
            "thread. It was opened with RTLD_DEEPBIND or dlmopen, or was bound before " +
            "coir::hook was loaded: open it without, or link it to the program.");
    }
}

// Whether calls of this name from within the object go through a slot that leads out of it, or may
// yet: -Bsymbolic-functions leaves none, and RTLD_DEEPBIND one that leads back.
bool may_call_others(const linked_object& object, std::string_view name, const void* own) {
    bool may = false;
    object.for_each_slot(
        [&](const char* slot, const void* value) { may = may || (value != own && name == slot); });
    return may;
}

// Functions by names that we take.
void look_at_definitions(search& s, const std::string& file, const linked_object& object) {
    std::string behind_us;
    std::string for_itself;
    for (std::size_t i = 0; i < call_count; ++i) {
        const auto which = static_cast<call>(i);
        const char* const name = describe(which).name;
        const void* const own = describe(which).is_taken() ? object.definition_of(name) : nullptr;
        if (own == nullptr || is_of_the_language(name) || is_of_its_own(name, own)) {
            continue;
        }
        if (object.contains(original_address(which))) {
            add(behind_us, name);
        } else if (!may_call_others(object, name, own)) {
            add(for_itself, name);
        }
    }
    if (!behind_us.empty()) {
        s.findings.push_back(
            file + " takes " + behind_us + ", too. coir::hook comes first and calls it in libc's " +
            "place, so the thread is blocked where it waits by itself: link or preload one of " +
            "the two alone.");
    }
    if (!for_itself.empty()) {
        s.findings.push_back(
            file + " has functions of its own called " + for_itself + ", and its own calls of " +
            "them do not reach coir::hook and may block the thread. Link it without -Bsymbolic " +
            "and -Bsymbolic-functions, open it without RTLD_DEEPBIND, or rename them.");
    }
}

int look_at_object(dl_phdr_info* info, std::size_t, void* data) {
    search& s = *static_cast<search*>(data);
    const std::string file = info->dlpi_name != nullptr ? info->dlpi_name : "";
    const linked_object object(*info);
    if (!is_ours(object) && !is_exempt(file)) {
        const std::string called = file.empty() ? "the program" : file;
        look_at_slots(s, called, object);
        look_at_definitions(s, called, object);
    }
    return 0;
}

}  // namespace

[[gnu::constructor]] static void check_at_start() noexcept {
    if (!chosen.on || chosen.quiet) {
        return;
    }
    try {
        for (const std::string& finding : self_check()) {
            std::fprintf(stderr, "coir::hook: %s\n", finding.c_str());
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "coir::hook: the self-check failed: %s\n", error.what());
    }
}

}  // namespace detail

std::vector<std::string> self_check() {
    detail::search s;
    detail::look_at_the_order(s);
    if (s.findings.empty()) {
        ::dl_iterate_phdr(detail::look_at_object, &s);
    }
    return std::move(s.findings);
}

}  // namespace coir::hook
