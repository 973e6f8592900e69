// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace coir::run_tool {

// Runs the program as a child and waits for its end. What somebody sends to this process goes to
// the child; what the terminal sends it gets anyway. Returns what waitpid(2) says. Throws
// std::system_error if it cannot be started.
int run_child(const std::string& path, const std::vector<std::string>& arguments,
              const std::vector<std::string>& environment);

// Ends this process as the child has ended: with its exit status, or by its signal.
[[noreturn]] void end_as(int wait_status);

}  // namespace coir::run_tool
