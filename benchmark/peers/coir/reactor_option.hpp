// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>
#include <cstring>
#include <iostream>

// What `--reactor NAME` on a server's command line chooses; without it coir chooses. coir itself
// refuses a name that it does not know.
inline void choose_reactor(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--reactor") == 0) {
        ::setenv("COIR_REACTOR", argv[2], 1);
    } else if (argc != 1) {
        std::cerr << "usage: " << argv[0] << " [--reactor poll|epoll|io_uring]\n";
        std::exit(2);
    }
}
