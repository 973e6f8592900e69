// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/machine.hpp"

#include <gnu/libc-version.h>
#include <sys/utsname.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <thread>

namespace coir::test {

namespace {

std::string processor() {
    std::ifstream lines("/proc/cpuinfo");
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("model name", 0) == 0) {
            return " (" + line.substr(line.find(':') + 2) + ")";
        }
    }
    return {};
}

std::string compiler() {
#ifdef __clang__
    std::string name = "Clang " __clang_version__;
    name.erase(name.find_last_not_of(' ') + 1);
#else
    std::string name = "GCC " __VERSION__;
#endif
#ifdef __OPTIMIZE__
    return name + ", optimised";
#else
    return name + ", not optimised";
#endif
}

std::string reactor() {
    const char* const chosen = std::getenv("COIR_REACTOR");
    return chosen != nullptr ? chosen : "automatic";
}

}  // namespace

std::string machine() {
    utsname system{};
    ::uname(&system);
    return std::string(system.sysname) + ' ' + system.release + " on " + system.machine + ", " +
           std::to_string(std::thread::hardware_concurrency()) + " processors" + processor() +
           "; glibc " + ::gnu_get_libc_version() + "; " + compiler() + "; reactor " + reactor();
}

std::string version_said_by(const std::string& command) {
    std::string said;
    if (std::FILE* const output = ::popen((command + " 2>&1 </dev/null").c_str(), "r")) {
        char text[256];
        while (std::fgets(text, sizeof text, output) != nullptr) {
            said += text;
        }
        ::pclose(output);
    }
    std::smatch found;
    std::regex_search(said, found, std::regex("[0-9]+(\\.[0-9]+)+"));
    return found.str();
}

}  // namespace coir::test
