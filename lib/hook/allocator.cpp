// SPDX-License-Identifier: BSL-1.0
#include "hook/allocator.hpp"

#include <dlfcn.h>
#include <link.h>
#include <cstdint>

namespace coir::hook::detail {

namespace {

struct code_range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;

    bool contains(const void* code) const noexcept {
        const auto address = reinterpret_cast<std::uintptr_t>(code);
        return begin <= address && address < end;
    }
};

// Empty if malloc is libc's, which calls nothing that can be taken, or is a part of the program
// itself, where it cannot be told from the rest.
constinit code_range allocator;

struct search {
    const void* code;
    code_range found = {};
};

int look_at(dl_phdr_info* object, std::size_t, void* data) noexcept {
    auto& s = *static_cast<search*>(data);
    const bool is_program = object->dlpi_name == nullptr || *object->dlpi_name == '\0';
    for (unsigned i = 0; i < object->dlpi_phnum && !is_program; ++i) {
        const ElfW(Phdr)& segment = object->dlpi_phdr[i];
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) {
            const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
            const code_range range{begin, begin + segment.p_memsz};
            if (range.contains(s.code)) {
                s.found = range;
                return 1;
            }
        }
    }
    return 0;
}

[[gnu::constructor(101)]] void find_allocator() noexcept {
    search s{::dlsym(RTLD_DEFAULT, "malloc")};
    ::dl_iterate_phdr(look_at, &s);
    if (!s.found.contains(::dlsym(RTLD_DEFAULT, "gnu_get_libc_version"))) {
        allocator = s.found;
    }
}

}  // namespace

bool is_allocator(const void* code) noexcept { return allocator.contains(code); }

}  // namespace coir::hook::detail
