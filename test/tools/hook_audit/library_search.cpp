// SPDX-License-Identifier: BSL-1.0
#include "library_search.hpp"

#include "native_machine.hpp"
#include "support/temporary.hpp"

#include <boost/test/unit_test.hpp>

#include <elf.h>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using coir::hook_audit::elf_file;
using coir::hook_audit::library_search;
using coir::hook_audit::loaded_file;
using coir::hook_audit::loader_cache;

namespace {

namespace fs = std::filesystem;

// Folders with files that the dynamic linker would look at, and a file that asks for them.
struct folders {
    coir::test::temporary_folder folder;
    fs::path root{folder.path()};
    loaded_file program{elf_file{}, root / "bin", "", nullptr};

    folders() { fs::create_directory(root / "bin"); }

    // The least that is an ELF file: a header, and a table of one segment.
    std::string put(const std::string& name,
                    std::uint16_t machine = coir::hook_audit::native_machine,
                    std::size_t size = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr)) const {
        Elf64_Ehdr header{};
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_ident[EI_VERSION] = EV_CURRENT;
        header.e_type = ET_DYN;
        header.e_machine = machine;
        header.e_version = EV_CURRENT;
        header.e_phoff = sizeof header;
        header.e_ehsize = sizeof header;
        header.e_phentsize = sizeof(Elf64_Phdr);
        header.e_phnum = 1;
        std::string bytes(sizeof header + sizeof(Elf64_Phdr), '\0');
        std::memcpy(bytes.data(), &header, sizeof header);
        const fs::path path = root / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary)
            .write(bytes.data(), static_cast<std::streamsize>(size));
        return path.string();
    }

    std::string in(const std::string& name) const { return (root / name).string(); }

    library_search search(const std::string& library_path = "") const {
        return {library_path, loader_cache(), {in("system")}};
    }

    std::string found(const library_search& where, const std::string& name) const {
        return where.find(name, program).value_or("nothing");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(search_for_a_library, folders)

BOOST_AUTO_TEST_CASE(each_place_is_searched_in_its_turn) {
    const std::string in_system = put("system/liba.so");
    BOOST_TEST(found(search(), "liba.so") == in_system);
    const std::string in_runpath = put("runpath/liba.so");
    program.elf.runpath = in("runpath");
    BOOST_TEST(found(search(), "liba.so") == in_runpath);
    const std::string in_library_path = put("library_path/liba.so");
    BOOST_TEST(found(search(in("library_path")), "liba.so") == in_library_path);
    const std::string in_rpath = put("rpath/liba.so");
    program.elf.rpath = in("rpath");
    program.elf.runpath.reset();
    BOOST_TEST(found(search(in("library_path")), "liba.so") == in_rpath);
    BOOST_TEST(found(search(), "libb.so") == "nothing");
}

BOOST_AUTO_TEST_CASE(an_rpath_holds_for_what_the_file_loads_in_turn) {
    const std::string path = put("rpath/liba.so");
    program.elf.rpath = in("rpath");
    const loaded_file library{elf_file{}, in("lib"), "lib.so", &program};
    BOOST_TEST(search().find("liba.so", library).value_or("nothing") == path);
    loaded_file with_runpath = library;
    with_runpath.elf.runpath = in("elsewhere");
    BOOST_TEST(!search().find("liba.so", with_runpath).has_value());
}

BOOST_AUTO_TEST_CASE(a_runpath_does_not) {
    put("runpath/liba.so");
    program.elf.runpath = in("runpath");
    const loaded_file library{elf_file{}, in("lib"), "lib.so", &program};
    BOOST_TEST(!search().find("liba.so", library).has_value());
}

BOOST_AUTO_TEST_CASE(tokens_stand_for_folders) {
    const std::string path = put("lib/plugins/liba.so");
    for (const char* runpath : {"$ORIGIN/../lib/plugins", "${ORIGIN}/../lib/plugins"}) {
        program.elf.runpath = runpath;
        BOOST_TEST(fs::equivalent(found(search(), "liba.so"), path));
    }
    const std::string name(coir::hook_audit::multiarch_name);
    put("lib/" + name + "/libb.so");
    program.elf.runpath = root.string() + "/$LIB";
    BOOST_TEST(found(search(), "libb.so") == in("lib/" + name + "/libb.so"));
    put("for_" + std::string(coir::hook_audit::platform_name) + "/libc.so");
    program.elf.runpath = root.string() + "/for_${PLATFORM}";
    BOOST_TEST(found(search(), "libc.so") != "nothing");
}

BOOST_AUTO_TEST_CASE(the_origin_in_the_library_path_is_the_programs) {
    const std::string path = put("bin/liba.so");
    const loaded_file library{elf_file{}, in("lib"), "lib.so", &program};
    BOOST_TEST(search("$ORIGIN").find("liba.so", library).value_or("nothing") == path);
}

BOOST_AUTO_TEST_CASE(a_list_has_folders_in_order_and_may_have_empty_ones) {
    put("one/liba.so");
    put("two/liba.so");
    BOOST_TEST(found(search(in("none") + ":" + in("two") + ";" + in("one")), "liba.so") ==
               in("two/liba.so"));
    // An empty folder is the current one, which has no such file.
    BOOST_TEST(found(search("::" + in("one")), "liba.so") == in("one/liba.so"));
}

BOOST_AUTO_TEST_CASE(a_name_with_a_slash_is_a_path) {
    const std::string path = put("elsewhere/liba.so");
    put("system/liba.so");
    BOOST_TEST(found(search(), path) == path);
    BOOST_TEST(fs::equivalent(found(search(), "$ORIGIN/../elsewhere/liba.so"), path));
    BOOST_TEST(found(search(), "./no/liba.so") == "nothing");
}

BOOST_AUTO_TEST_CASE(the_systems_folders_can_be_left_out) {
    put("system/liba.so");
    program.elf.no_default_folders = true;
    BOOST_TEST(found(search(), "liba.so") == "nothing");
}

BOOST_AUTO_TEST_CASE(a_file_of_another_machine_is_passed_over) {
    put("runpath/liba.so", EM_RISCV);
    const std::string in_system = put("system/liba.so");
    program.elf.runpath = in("runpath");
    BOOST_TEST(found(search(), "liba.so") == in_system);
}

BOOST_AUTO_TEST_CASE(a_malformed_file_ends_the_search) {
    const std::string cut = put("runpath/liba.so", coir::hook_audit::native_machine, 70);
    put("system/liba.so");
    program.elf.runpath = in("runpath");
    BOOST_TEST(found(search(), "liba.so") == cut);
}

BOOST_AUTO_TEST_SUITE_END()
