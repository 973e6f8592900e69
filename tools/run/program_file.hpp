// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdexcept>
#include <string>

namespace coir::run_tool {

// A program that cannot be run, with the exit status that env(1) and timeout(1) have for it.
struct cannot_run : std::runtime_error {
    static constexpr int not_found = 127;
    static constexpr int refused = 126;

    cannot_run(const std::string& why, int exit_status)
        : std::runtime_error(why), status(exit_status) {}

    int status;
};

// The file that execvp(3) would run.
std::string find_program(const std::string& name);

// Throws if its main could not be put into a fiber.
void check_program(const std::string& path);

}  // namespace coir::run_tool
