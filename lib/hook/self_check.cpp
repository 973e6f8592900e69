// SPDX-License-Identifier: BSL-1.0
// Whether calls reach us. A call from one object to another goes through a slot of the caller's
// that the dynamic linker fills with what it finds first: in the program, then in the libraries in
// the order in which they were loaded. So there are two questions. What would it find first now?
// And what is in the slots that are filled already, which may have been filled by other rules?
#include <coir/hook/hook.hpp>

#include "hook/call.hpp"
#include "hook/settings.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <string_view>

namespace coir::hook {

namespace detail {

namespace {

struct address_range {
    std::uintptr_t begin = UINTPTR_MAX;
    std::uintptr_t end = 0;

    bool contains(const void* address) const noexcept {
        const auto a = reinterpret_cast<std::uintptr_t>(address);
        return begin <= a && a < end;
    }
};

address_range range_of(const dl_phdr_info& object) noexcept {
    address_range range;
    for (unsigned i = 0; i < object.dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = object.dlpi_phdr[i];
        if (segment.p_type == PT_LOAD) {
            const std::uintptr_t begin = object.dlpi_addr + segment.p_vaddr;
            range.begin = std::min(range.begin, begin);
            range.end = std::max(range.end, begin + segment.p_memsz);
        }
    }
    return range;
}

// Where this function is: the program, or libcoir-hook.so.
address_range own_range() noexcept {
    address_range range;
    ::dl_iterate_phdr(
        [](dl_phdr_info* object, std::size_t, void* result) {
            const address_range candidate = range_of(*object);
            if (candidate.contains(reinterpret_cast<const void*>(&own_range))) {
                *static_cast<address_range*>(result) = candidate;
                return 1;
            }
            return 0;
        },
        &range);
    return range;
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
          "libubsan", "liblsan", "vgpreload"}) {
        if (name.substr(0, prefix.size()) == prefix) {
            return true;
        }
    }
    return false;
}

// A function that somebody has of his own, by a name that is not libc's alone: see interpose.hpp.
bool is_of_its_own(std::string_view name, const void* address) {
    for (const std::string_view free : {"dprintf", "getdelim", "getline", "getw", "putw",
                                        "setbuffer", "setlinebuf", "vdprintf"}) {
        if (name == free) {
            return !is_exempt(file_of(address));
        }
    }
    return false;
}

#if defined(__x86_64__)
constexpr auto jump_slot = R_X86_64_JUMP_SLOT;
constexpr auto global_data = R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
constexpr auto jump_slot = R_AARCH64_JUMP_SLOT;
constexpr auto global_data = R_AARCH64_GLOB_DAT;
#else
#error "the relocations of this processor are not known here"
#endif

// What the dynamic linker works with, of one object.
class linked_object {
public:
    explicit linked_object(const dl_phdr_info& object) noexcept
        : base_(object.dlpi_addr), range_(range_of(object)) {
        for (unsigned i = 0; i < object.dlpi_phnum; ++i) {
            if (object.dlpi_phdr[i].p_type == PT_DYNAMIC) {
                read(reinterpret_cast<const ElfW(Dyn)*>(base_ + object.dlpi_phdr[i].p_vaddr));
            }
        }
    }

    // Calls visit(name, address) for each slot that is filled from elsewhere.
    template <class Visit>
    void for_each_slot(Visit visit) const {
        if (symbols_ == nullptr || strings_ == nullptr) {
            return;
        }
        visit_table(calls_, calls_size_, visit);
        visit_table(data_, data_size_, visit);
    }

private:
    void read(const ElfW(Dyn) * entry) noexcept {
        for (; entry->d_tag != DT_NULL; ++entry) {
            switch (entry->d_tag) {
                case DT_SYMTAB: symbols_ = pointer<ElfW(Sym)>(*entry); break;
                case DT_STRTAB: strings_ = pointer<char>(*entry); break;
                case DT_JMPREL: calls_ = pointer<ElfW(Rela)>(*entry); break;
                case DT_PLTRELSZ: calls_size_ = entry->d_un.d_val; break;
                case DT_RELA: data_ = pointer<ElfW(Rela)>(*entry); break;
                case DT_RELASZ: data_size_ = entry->d_un.d_val; break;
                default: break;
            }
        }
    }

    // The dynamic linker of glibc has added the base to most of them, but not to the vDSO's.
    template <class T>
    const T* pointer(const ElfW(Dyn) & entry) const noexcept {
        const std::uintptr_t value = entry.d_un.d_ptr;
        return reinterpret_cast<const T*>(value < base_ ? value + base_ : value);
    }

    template <class Visit>
    void visit_table(const ElfW(Rela) * table, std::size_t bytes, Visit& visit) const {
        for (std::size_t i = 0; i < bytes / sizeof *table; ++i) {
            const auto type = ELF64_R_TYPE(table[i].r_info);
            if (type != jump_slot && type != global_data) {
                continue;
            }
            const ElfW(Sym)& symbol = symbols_[ELF64_R_SYM(table[i].r_info)];
            const void* const value = *reinterpret_cast<void* const*>(base_ + table[i].r_offset);
            // Not called yet, or a weak one that nobody has.
            if (value != nullptr && !range_.contains(value)) {
                visit(strings_ + symbol.st_name, value);
            }
        }
    }

    const std::uintptr_t base_;
    const address_range range_;
    const ElfW(Sym) * symbols_ = nullptr;
    const char* strings_ = nullptr;
    const ElfW(Rela) * calls_ = nullptr;
    std::size_t calls_size_ = 0;
    const ElfW(Rela) * data_ = nullptr;
    std::size_t data_size_ = 0;
};

// The calls that go elsewhere, by the file that they go to.
using misses = std::map<std::string, std::string>;

void note(misses& found, const void* address, const char* name) {
    std::string& names = found[file_of(address)];
    names += names.empty() ? "" : ", ";
    names += name;
}

struct search {
    const address_range ours = own_range();
    std::vector<std::string> findings;
};

// What a call would find first.
void look_at_the_order(search& s) {
    misses found;
    for (const call_description& one : call_descriptions) {
        if (!one.is_taken()) {
            continue;
        }
        const void* const first = ::dlsym(RTLD_DEFAULT, one.name);
        if (first != nullptr && !s.ours.contains(first) && !is_of_its_own(one.name, first)) {
            note(found, first, one.name);
        }
    }
    for (const auto& [file, names] : found) {
        s.findings.push_back(
            file + " comes before coir::hook, so these calls block the thread: " + names +
            ". Link coir::hook into the program, or name " +
            "libcoir-hook.so before it on the linker's command line or first in " + "LD_PRELOAD.");
    }
}

int look_at_slots(dl_phdr_info* object, std::size_t, void* data) {
    search& s = *static_cast<search*>(data);
    const std::string_view name = object->dlpi_name != nullptr ? object->dlpi_name : "";
    if (range_of(*object).contains(reinterpret_cast<const void*>(&own_range)) || is_exempt(name)) {
        return 0;
    }
    misses found;
    linked_object(*object).for_each_slot([&](const char* symbol, const void* value) {
        if (is_taken(symbol) && !s.ours.contains(value) && !is_of_its_own(symbol, value)) {
            note(found, value, symbol);
        }
    });
    for (const auto& [file, names] : found) {
        s.findings.push_back(
            (name.empty() ? std::string("the program") : std::string(name)) + " calls " + names +
            " of " + file + ", past coir::hook, and blocks the thread. It was opened with " +
            "RTLD_DEEPBIND or dlmopen, or was bound before coir::hook was loaded: open it " +
            "without, or link it to the program.");
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
        ::dl_iterate_phdr(detail::look_at_slots, &s);
    }
    return std::move(s.findings);
}

}  // namespace coir::hook
