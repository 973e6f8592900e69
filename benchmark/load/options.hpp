// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>
#include <cstddef>
#include <cstdint>

namespace load {

// What the command line says, see usage() in options.cpp.
struct options {
    std::uint16_t port = 0;
    pid_t server = 0;  // whose CPU clock is read; 0: nobody's
    std::size_t connections = 50;
    std::size_t idle = 0;
    std::size_t bytes = 64;
    double seconds = 1;
    bool on_request = false;
};

// Ends the program with what is wrong and the usage, if something is.
options options_from(int argc, char** argv);

}  // namespace load
