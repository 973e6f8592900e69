// SPDX-License-Identifier: BSL-1.0
#include "program_file.hpp"

#include "elf_file.hpp"
#include "elf_image.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

namespace coir::run_tool {

namespace {

using hook_audit::elf_file;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw cannot_run(path + ": " + why, cannot_run::refused);
}

bool is_file(const std::string& path) {
    struct stat what {};
    return ::stat(path.c_str(), &what) == 0 && S_ISREG(what.st_mode);
}

bool is_script(const std::string& path) {
    char start[2] = {};
    std::ifstream(path, std::ios::binary).read(start, sizeof start);
    return start[0] == '#' && start[1] == '!';
}

// The dynamic linker loads nothing for others into a program that gets rights by being run.
bool gives_rights(const std::string& path) {
    struct stat what {};
    return ::stat(path.c_str(), &what) == 0 &&
           ((what.st_mode & (S_ISUID | S_ISGID)) != 0 ||
            ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0);
}

// Whoever calls coir::run has the name of its exception's type, also where all symbols are
// stripped.
bool has_coir_inside(const std::string& path) {
    constexpr std::string_view name = "N4coir14deadlock_errorE";
    std::ifstream file(path, std::ios::binary);
    std::string part;
    std::string block(1 << 20, '\0');
    while (file.read(block.data(), static_cast<std::streamsize>(block.size())) ||
           file.gcount() > 0) {
        part.append(block, 0, static_cast<std::size_t>(file.gcount()));
        if (part.find(name) != part.npos) {
            return true;
        }
        part.erase(0, part.size() - std::min(part.size(), name.size()));
    }
    return false;
}

bool uses_coir(const std::string& path, const elf_file& file) {
    return has_coir_inside(path) || std::ranges::any_of(file.needed, [](const std::string& name) {
               return name.starts_with("libcoir.so") || name.starts_with("libcoir-hook.so");
           });
}

}  // namespace

std::string find_program(const std::string& name) {
    if (name.find('/') != name.npos) {
        if (!is_file(name)) {
            throw cannot_run(name + ": there is no such file", cannot_run::not_found);
        }
        return name;
    }
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path != nullptr ? path : "/bin:/usr/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        const std::string file = (folder.empty() ? "." : folder) + '/' + name;
        if (is_file(file) && ::access(file.c_str(), X_OK) == 0) {
            return file;
        }
    }
    throw cannot_run(name + ": is in no folder of PATH", cannot_run::not_found);
}

void check_program(const std::string& path) {
    if (::access(path.c_str(), X_OK) != 0) {
        refuse(path, std::strerror(errno));
    }
    if (gives_rights(path)) {
        refuse(path, "is setuid or setgid, or has capabilities, and takes no library of others");
    }
    if (is_script(path)) {
        refuse(path, "is a script: run the program that it names in its first line");
    }
    try {
        const elf_file file = hook_audit::read_elf_file(path);
        if (file.what == elf_file::kind::static_program) {
            refuse(path, "is linked statically, so none of its calls can be taken");
        }
        if (file.what != elf_file::kind::program) {
            refuse(path, "is no program");
        }
        if (file.interpreter.find("ld-linux") == file.interpreter.npos) {
            refuse(path, "is not of glibc: its dynamic linker is " + file.interpreter);
        }
        if (uses_coir(path, file)) {
            refuse(path, "uses coir itself: COIR_HOOK=watchdog tells what holds its carriers");
        }
    } catch (const hook_audit::unreadable_file& error) {
        refuse(path, error.reason());
    }
}

}  // namespace coir::run_tool
