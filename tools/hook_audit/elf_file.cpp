// SPDX-License-Identifier: BSL-1.0
#include "elf_file.hpp"

#include "dynamic_section.hpp"
#include "dynamic_symbols.hpp"
#include "elf_image.hpp"
#include "read_at.hpp"

namespace coir::hook_audit {
namespace {

std::string read_interpreter(const elf_image& image) {
    const Elf64_Phdr* segment = image.segment(PT_INTERP);
    if (segment == nullptr) {
        return {};
    }
    const std::string_view what = "the name of the dynamic linker";
    const auto name = string_at(image.bytes(segment->p_offset, segment->p_filesz, what), 0);
    if (!name) {
        image.throw_malformed(what);
    }
    return std::string(*name);
}

// Programs of today are marked, as they are shared objects by their type; those of yesterday are
// told by the dynamic linker that they ask for, which some libraries do, too, but under a name.
elf_file::kind kind_of(const elf_image& image, const dynamic_section& dynamic,
                       const elf_file& file) {
    const bool program = image.type() == ET_EXEC || (dynamic.flags(DT_FLAGS_1) & DF_1_PIE) != 0 ||
                         (!file.interpreter.empty() && file.soname.empty());
    if (!program) {
        return elf_file::kind::shared_library;
    }
    return file.interpreter.empty() && file.needed.empty() ? elf_file::kind::static_program
                                                           : elf_file::kind::program;
}

// The C++ runtime has the guards of static locals, which are among the calls that are looked for.
bool may_be_glibcs(std::string_view version) noexcept {
    return version.empty() || version.starts_with("GLIBC_") || version.starts_with("CXXABI_");
}

}  // namespace

elf_file read_elf_file(const std::string& path) {
    const elf_image image(path);
    const dynamic_section dynamic(image);
    if (dynamic.empty() && image.type() != ET_EXEC) {
        image.throw_malformed("the dynamic section");
    }
    elf_file file;
    file.path = path;
    file.interpreter = read_interpreter(image);
    file.needed = dynamic.strings(DT_NEEDED);
    file.soname = dynamic.string(DT_SONAME).value_or("");
    file.runpath = dynamic.string(DT_RUNPATH);
    if (!file.runpath) {
        file.rpath = dynamic.string(DT_RPATH);
    }
    file.no_default_folders = (dynamic.flags(DT_FLAGS_1) & DF_1_NODEFLIB) != 0;
    file.symbolic =
        dynamic.value(DT_SYMBOLIC).has_value() || (dynamic.flags(DT_FLAGS) & DF_SYMBOLIC) != 0;
    file.what = kind_of(image, dynamic, file);
    for (const dynamic_symbol& symbol : read_dynamic_symbols(image, dynamic)) {
        if (symbol.defined) {
            file.definitions.emplace_back(symbol.name);
        } else if (may_be_glibcs(symbol.version)) {
            file.imports.emplace_back(symbol.name);
        }
    }
    if (!is_glibc(file)) {
        for (const auto code : image.code()) {
            file.raw_calls.scan(code);
        }
    }
    return file;
}

bool is_glibc(const elf_file& file) noexcept {
    return file.soname == "libc.so.6" || file.soname.starts_with("ld-linux");
}

}  // namespace coir::hook_audit
