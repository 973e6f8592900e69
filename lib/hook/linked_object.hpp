// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <elf.h>
#include <link.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace coir::hook::detail {

#if defined(__x86_64__)
inline constexpr auto jump_slot = R_X86_64_JUMP_SLOT;
inline constexpr auto global_data = R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
inline constexpr auto jump_slot = R_AARCH64_JUMP_SLOT;
inline constexpr auto global_data = R_AARCH64_GLOB_DAT;
#else
#error "the relocations of this processor are not known here"
#endif

// A program or a library in memory, as the dynamic linker sees it: what it calls of others, and
// what it has for others to call. To be used while dl_iterate_phdr(3) shows it.
class linked_object {
public:
    explicit linked_object(const dl_phdr_info& object) noexcept : base_(object.dlpi_addr) {
        for (unsigned i = 0; i < object.dlpi_phnum; ++i) {
            const ElfW(Phdr)& segment = object.dlpi_phdr[i];
            const std::uintptr_t begin = base_ + segment.p_vaddr;
            if (segment.p_type == PT_LOAD) {
                begin_ = std::min(begin_, begin);
                end_ = std::max(end_, begin + segment.p_memsz);
            } else if (segment.p_type == PT_DYNAMIC) {
                dynamic_ = reinterpret_cast<const ElfW(Dyn)*>(begin);
            }
        }
        if (dynamic_ != nullptr) {
            read_tables();
        }
    }

    bool contains(const void* address) const noexcept {
        const auto a = reinterpret_cast<std::uintptr_t>(address);
        return begin_ <= a && a < end_;
    }

    // Calls visit(name, address) for each slot that its calls of a global function go through.
    // Until a function was called for the first time, the address may be in the object itself.
    template <class Visit>
    void for_each_slot(Visit visit) const {
        if (symbols_ != nullptr && strings_ != nullptr) {
            visit_table(calls_, calls_size_, visit);
            visit_table(data_, data_size_, visit);
        }
    }

    // Its own global function of this name, or null. One that has none of the tables that are usual
    // since 2006 (DT_GNU_HASH) seems to have no functions.
    const void* definition_of(const char* name) const noexcept {
        if (hash_ == nullptr || symbols_ == nullptr || strings_ == nullptr) {
            return nullptr;
        }
        constexpr std::uint32_t word_bits = 8 * sizeof(ElfW(Addr));
        const std::uint32_t bucket_count = hash_[0];
        const std::uint32_t first_symbol = hash_[1];
        const std::uint32_t filter_size = hash_[2];
        const auto* const filter = reinterpret_cast<const ElfW(Addr)*>(hash_ + 4);
        const auto* const buckets = reinterpret_cast<const std::uint32_t*>(filter + filter_size);
        const std::uint32_t* const chains = buckets + bucket_count;

        const std::uint32_t hash = hash_of(name);
        const ElfW(Addr) word = filter[hash / word_bits % filter_size];
        const ElfW(Addr) bits =
            word >> (hash % word_bits) & word >> ((hash >> hash_[3]) % word_bits);
        std::uint32_t i = (bits & 1) != 0 && bucket_count != 0 ? buckets[hash % bucket_count] : 0;
        if (i < first_symbol || i == 0) {
            return nullptr;
        }
        // The lowest bit of a chain's last hash is set.
        for (std::uint32_t found = 0; (found & 1) == 0; ++i) {
            found = chains[i - first_symbol];
            if ((found | 1) == (hash | 1) &&
                std::strcmp(strings_ + symbols_[i].st_name, name) == 0) {
                return reinterpret_cast<const void*>(base_ + symbols_[i].st_value);
            }
        }
        return nullptr;
    }

private:
    void read_tables() noexcept {
        for (const ElfW(Dyn)* entry = dynamic_; entry->d_tag != DT_NULL; ++entry) {
            switch (entry->d_tag) {
                case DT_SYMTAB: symbols_ = pointer<ElfW(Sym)>(*entry); break;
                case DT_STRTAB: strings_ = pointer<char>(*entry); break;
                case DT_GNU_HASH: hash_ = pointer<std::uint32_t>(*entry); break;
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
            // Null is a weak one that nobody has.
            if (value != nullptr) {
                visit(strings_ + symbol.st_name, value);
            }
        }
    }

    static std::uint32_t hash_of(const char* name) noexcept {
        std::uint32_t hash = 5381;
        for (; *name != '\0'; ++name) {
            hash = hash * 33 + static_cast<unsigned char>(*name);
        }
        return hash;
    }

    const std::uintptr_t base_;
    std::uintptr_t begin_ = UINTPTR_MAX;
    std::uintptr_t end_ = 0;
    const ElfW(Dyn) * dynamic_ = nullptr;
    const ElfW(Sym) * symbols_ = nullptr;
    const char* strings_ = nullptr;
    const std::uint32_t* hash_ = nullptr;
    const ElfW(Rela) * calls_ = nullptr;
    std::size_t calls_size_ = 0;
    const ElfW(Rela) * data_ = nullptr;
    std::size_t data_size_ = 0;
};

}  // namespace coir::hook::detail
