// SPDX-License-Identifier: BSL-1.0
// coir-hook-audit FILE...: what of a program or library coir's hook library would take over.

#include "audit.hpp"
#include "json_report.hpp"
#include "text_report.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace coir::hook_audit;

constexpr int could_not_read = 2;

constexpr const char* description =
    "Lists the functions of libc that FILE, a program or shared library, and the libraries that "
    "it\n"
    "loads import and that can block their caller, and what coir's hook library does about each:\n"
    "  hooked     in a fiber the call parks it, and the thread goes on with others\n"
    "  offloaded  in a fiber the call is made by a thread of the blocking pool, and awaited\n"
    "  wrapped    the call does not wait; it is taken so that others can\n"
    "  optional   the call is libc's own; an option has it offloaded, as the note says\n"
    "  passed     the call is libc's own and may hold the thread, for the reason that is told\n"
    "  missed     the call is libc's own and holds the thread, or goes around the hooks";

constexpr const char* exit_status =
    "Exit status:\n"
    "  0  every call is hooked, offloaded or wrapped\n"
    "  1  a call is optional, passed or missed, or a file goes around the hooks\n"
    "  2  a FILE or a library that it needs could not be read, or the usage is wrong\n"
    "Hints (what looks like a system call without libc) do not change it.";

struct choices {
    std::vector<std::string> files;
    bool json = false;
    bool everything = false;
    bool alone = false;
};

int report(const choices& chosen) {
    const library_search search;
    const auto which = chosen.alone ? dependencies::left_out : dependencies::followed;
    const auto how_much = chosen.everything ? detail::everything : detail::problems;
    std::vector<audit> results;
    int status = 0;
    for (const std::string& file : chosen.files) {
        results.push_back(audit_file(file, search, which));
        const audit& result = results.back();
        status = std::max(status, result.status());
        if (!result.error.empty()) {
            std::cerr << "coir-hook-audit: " << file << ": " << result.error << '\n';
        } else if (!chosen.json) {
            write_text(std::cout, result, how_much);
        }
    }
    if (chosen.json) {
        std::cout << to_json(results, status) << '\n';
    }
    std::cout.flush();
    if (!std::cout) {
        std::cerr << "coir-hook-audit: the report could not be written\n";
        return could_not_read;
    }
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    choices chosen;
    CLI::App app(description, "coir-hook-audit");
    app.set_version_flag("--version", "coir-hook-audit " COIR_VERSION);
    app.add_option("FILE", chosen.files, "Programs and shared libraries")->required();
    app.add_flag("--all", chosen.everything, "Name also what is hooked, offloaded or wrapped");
    app.add_flag("--no-dependencies", chosen.alone, "Look at FILE alone, not at what it loads");
    app.add_flag("--json", chosen.json, "Write JSON, for programs; it has everything");
    app.footer(exit_status);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : could_not_read;
    }
    try {
        return report(chosen);
    } catch (const std::exception& error) {
        std::cerr << "coir-hook-audit: " << error.what() << '\n';
        return could_not_read;
    }
}
