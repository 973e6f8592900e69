// SPDX-License-Identifier: BSL-1.0
#include "dynamic_symbols.hpp"

#include "read_at.hpp"

#include <algorithm>
#include <map>

namespace coir::hook_audit {
namespace {

constexpr std::string_view hash_table = "the table of hashes";
constexpr std::string_view relocation_table = "the relocations";
constexpr std::string_view version_table = "the versions of symbols";

// Nothing says how many symbols there are: section headers do, but need not be there. The table
// reaches as far as others refer to it.

std::uint64_t count_by_hash(const elf_image& image, const dynamic_section& dynamic) {
    const auto address = dynamic.value(DT_HASH);
    if (!address) {
        return 0;
    }
    // nbucket, nchain: one chain entry a symbol.
    return read_at<std::uint32_t>(image.bytes_at(*address, 8, hash_table), 4).value();
}

// Has the symbols from `first` on, which are those that are defined, ordered by bucket; the last
// one of each bucket is marked by bit 0 of its hash.
std::uint64_t count_by_gnu_hash(const elf_image& image, const dynamic_section& dynamic) {
    const auto address = dynamic.value(DT_GNU_HASH);
    if (!address) {
        return 0;
    }
    struct head {
        std::uint32_t buckets, first, bloom_words, shift;
    };
    const auto table = image.bytes_from(*address, hash_table);
    const auto header = read_at<head>(table, 0);
    if (!header) {
        image.throw_malformed(hash_table);
    }
    const std::uint64_t buckets_at = sizeof(head) + 8ULL * header->bloom_words;
    const std::uint64_t chains_at = buckets_at + 4ULL * header->buckets;
    if (chains_at > table.size()) {
        image.throw_malformed(hash_table);
    }
    std::uint64_t last = 0;
    for (std::uint64_t at = buckets_at; at < chains_at; at += 4) {
        last = std::max<std::uint64_t>(last, read_at<std::uint32_t>(table, at).value());
    }
    if (last < header->first) {
        return header->first;
    }
    for (;; ++last) {
        const auto hash = read_at<std::uint32_t>(table, chains_at + 4 * (last - header->first));
        if (!hash) {
            image.throw_malformed(hash_table);
        }
        if ((*hash & 1) != 0) {
            return last + 1;
        }
    }
}

// Where all symbols are imports, DT_GNU_HASH may be empty; but an import without a relocation is
// never called.
std::uint64_t count_by_relocations(const elf_image& image, const dynamic_section& dynamic) {
    std::uint64_t count = 0;
    const auto add = [&](std::int64_t table_tag, std::int64_t size_tag) {
        const auto address = dynamic.value(table_tag);
        const std::uint64_t size = dynamic.flags(size_tag);
        if (!address || size == 0) {
            return;
        }
        const auto table = image.bytes_at(*address, size, relocation_table);
        for (std::uint64_t at = 0; at < size; at += sizeof(Elf64_Rela)) {
            if (const auto entry = read_at<Elf64_Rela>(table, at)) {
                count = std::max<std::uint64_t>(count, ELF64_R_SYM(entry->r_info) + 1);
            }
        }
    };
    add(DT_RELA, DT_RELASZ);
    add(DT_JMPREL, DT_PLTRELSZ);
    return count;
}

// The names of needed versions by the number that DT_VERSYM has for them.
std::map<std::uint16_t, std::string_view> read_needed_versions(const elf_image& image,
                                                               const dynamic_section& dynamic) {
    std::map<std::uint16_t, std::string_view> names;
    const auto address = dynamic.value(DT_VERNEED);
    if (!address) {
        return names;
    }
    const auto table = image.bytes_from(*address, version_table);
    // Entries are chained by offsets; a bound on their number ends a chain that is malformed.
    std::uint64_t left = table.size() / sizeof(Elf64_Vernaux);
    std::uint64_t at = 0;
    for (std::uint64_t file = 0; file < dynamic.flags(DT_VERNEEDNUM); ++file) {
        const auto need = read_at<Elf64_Verneed>(table, at);
        if (!need) {
            image.throw_malformed(version_table);
        }
        std::uint64_t version_at = at + need->vn_aux;
        for (std::uint16_t i = 0; i < need->vn_cnt; ++i) {
            const auto version = read_at<Elf64_Vernaux>(table, version_at);
            if (!version || left-- == 0) {
                image.throw_malformed(version_table);
            }
            names[version->vna_other & 0x7fff] = dynamic.string_of(version->vna_name);
            version_at += version->vna_next;
        }
        if (need->vn_next == 0) {
            break;
        }
        at += need->vn_next;
    }
    return names;
}

bool may_be_function(const Elf64_Sym& symbol) noexcept {
    const unsigned char type = ELF64_ST_TYPE(symbol.st_info);
    return type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC;
}

bool is_visible(const Elf64_Sym& symbol) noexcept {
    const unsigned char visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    return ELF64_ST_BIND(symbol.st_info) != STB_LOCAL &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

}  // namespace

std::vector<dynamic_symbol> read_dynamic_symbols(const elf_image& image,
                                                 const dynamic_section& dynamic) {
    std::vector<dynamic_symbol> symbols;
    const auto address = dynamic.value(DT_SYMTAB);
    if (!address) {
        return symbols;
    }
    const std::uint64_t count =
        std::max({count_by_hash(image, dynamic), count_by_gnu_hash(image, dynamic),
                  count_by_relocations(image, dynamic)});
    const auto table = image.bytes_from(*address, "the dynamic symbols");
    if (count > table.size() / sizeof(Elf64_Sym)) {
        image.throw_malformed("the dynamic symbols");
    }
    const auto names = read_needed_versions(image, dynamic);
    const auto version_address = dynamic.value(DT_VERSYM);
    const auto versions = version_address
                              ? image.bytes_at(*version_address, 2 * count, version_table)
                              : std::span<const std::byte>();
    for (std::uint64_t i = 1; i < count; ++i) {
        const auto symbol = read_at<Elf64_Sym>(table, i * sizeof(Elf64_Sym)).value();
        const bool defined = symbol.st_shndx != SHN_UNDEF;
        if (!may_be_function(symbol) || !is_visible(symbol)) {
            continue;
        }
        std::string_view version;
        if (const auto number = read_at<std::uint16_t>(versions, 2 * i); number && !defined) {
            const auto named = names.find(*number & 0x7fff);
            version = named == names.end() ? std::string_view() : named->second;
        }
        symbols.push_back({dynamic.string_of(symbol.st_name), version, defined});
    }
    return symbols;
}

}  // namespace coir::hook_audit
