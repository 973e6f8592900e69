// SPDX-License-Identifier: BSL-1.0
// coir-run PROGRAM ARGUMENT...: runs a program's main in a fiber beside one that ticks, and tells
// what has kept that one from it.

#include "child.hpp"
#include "gap_record.hpp"
#include "gap_report.hpp"
#include "program_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <new>
#include <string>
#include <system_error>
#include <vector>

namespace {

using namespace coir::run_tool;
namespace fs = std::filesystem;

constexpr int failed = 125;

constexpr const char* description =
    "coir-run [OPTIONS] PROGRAM [ARGUMENT...]\n"
    "Runs PROGRAM, unmodified, with its main in a fiber, beside a fiber that ticks. A gap between\n"
    "ticks is a call that coir's hook library did not take, or work that let nobody else run.\n"
    "The longest gap is told when the program has ended, and what it was spent on.";

constexpr const char* exit_status =
    "Exit status: that of PROGRAM, also where a signal has ended it; or\n"
    "  125  the usage is wrong, or coir-run itself has failed\n"
    "  126  PROGRAM cannot be run, or not in a fiber\n"
    "  127  PROGRAM was not found";

struct choices {
    std::int64_t interval = 1'000'000;
    std::int64_t threshold = 10'000'000;
    std::string report;
    std::vector<std::string> command;
};

// A mapping that a child inherits by its descriptor.
class shared_record {
public:
    shared_record() : fd_(::memfd_create("coir-run", 0)) {
        if (fd_ < 0 || ::ftruncate(fd_, sizeof(gap_record)) != 0) {
            fail();
        }
        void* const place =
            ::mmap(nullptr, sizeof(gap_record), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
        if (place == MAP_FAILED) {
            fail();
        }
        record_ = ::new (place) gap_record;
    }
    shared_record(const shared_record&) = delete;
    shared_record& operator=(const shared_record&) = delete;

    int fd() const noexcept { return fd_; }
    gap_record* operator->() const noexcept { return record_; }
    gap_record& operator*() const noexcept { return *record_; }

private:
    [[noreturn]] static void fail() {
        throw std::system_error(errno, std::generic_category(), "no memory to share");
    }

    const int fd_;
    gap_record* record_ = nullptr;
};

// Where the libraries are: the folder that they were installed in, as seen from this program's; or
// that of the build.
std::string preload() {
    const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
    for (const char* const folder : {COIR_RUN_INSTALLED, COIR_RUN_BUILT}) {
        const fs::path libraries_folder = (here / folder).lexically_normal();
        if (fs::exists(libraries_folder / COIR_RUN_LIBRARY)) {
            const std::string result = (libraries_folder / COIR_RUN_HOOKS).string() + ':' +
                                       (libraries_folder / COIR_RUN_LIBRARY).string();
            if (std::ranges::count(result, ':') != 1 || result.find(' ') != result.npos) {
                throw std::runtime_error(libraries_folder.string() +
                                         ": LD_PRELOAD can name no folder with a colon or a space");
            }
            return result;
        }
    }
    throw std::runtime_error(std::string(COIR_RUN_LIBRARY) + " is not where it was installed");
}

std::vector<std::string> environment_with(const std::string& libraries_first, int fd) {
    std::vector<std::string> result;
    std::string preloaded = "LD_PRELOAD=" + libraries_first;
    for (char** one = environ; *one != nullptr; ++one) {
        const std::string text = *one;
        if (text.starts_with("LD_PRELOAD=")) {
            preloaded += ':' + text.substr(text.find('=') + 1);
        } else {
            result.push_back(text);
        }
    }
    result.push_back(preloaded);
    result.push_back(std::string(variable) + '=' + std::to_string(fd));
    return result;
}

void write_report(const choices& chosen, const gap_record& record) {
    const std::string text = describe(record, chosen.command.front());
    if (chosen.report.empty()) {
        std::cerr << text << std::flush;
        return;
    }
    std::ofstream file(chosen.report);
    file << text << std::flush;
    if (!file) {
        std::cerr << "coir-run: " << chosen.report << ": the report could not be written\n" << text;
    }
}

int run(const choices& chosen) {
    const std::string path = find_program(chosen.command.front());
    check_program(path);
    const shared_record record;
    record->interval = nanoseconds(chosen.interval);
    record->threshold = nanoseconds(chosen.threshold);
    const int status = run_child(path, chosen.command, environment_with(preload(), record.fd()));
    // It has not come to the end of its main: by a signal or _exit, or it has become another.
    if (record->reached == gap_record::stage::running) {
        record->end_gap(record->last_look);
    }
    write_report(chosen, *record);
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    choices chosen;
    CLI::App app(description, "coir-run");
    app.set_version_flag("--version", "coir-run " COIR_VERSION);
    const std::map<std::string, std::int64_t> units{
        {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}};
    app.add_option("--interval", chosen.interval, "From one tick to the next (default: 1ms)")
        ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED))
        ->check(CLI::PositiveNumber);
    app.add_option("--threshold", chosen.threshold, "Count gaps of that and more (default: 10ms)")
        ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED))
        ->check(CLI::PositiveNumber);
    app.add_option("--report", chosen.report, "Write the report to this file, not to stderr");
    app.prefix_command();
    app.footer(exit_status);
    try {
        app.parse(argc, argv);
        chosen.command = app.remaining();
        if (!chosen.command.empty() && chosen.command.front() == "--") {
            chosen.command.erase(chosen.command.begin());
        } else if (!chosen.command.empty() && chosen.command.front().starts_with('-')) {
            throw CLI::ExtrasError({chosen.command.front()});
        }
        if (chosen.command.empty()) {
            throw CLI::RequiredError("PROGRAM");
        }
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : failed;
    }
    int status = 0;
    try {
        status = run(chosen);
    } catch (const cannot_run& error) {
        std::cerr << "coir-run: " << error.what() << '\n';
        return error.status;
    } catch (const std::exception& error) {
        std::cerr << "coir-run: " << error.what() << '\n';
        return failed;
    }
    end_as(status);
}
