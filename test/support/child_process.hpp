// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>

namespace coir::test {

// Runs body in a child process, which ends with what it returns. The parent is to take its status.
template <class Body>
pid_t child_process(Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(body());
    }
    if (child < 0) {
        std::perror("fork");
        std::abort();
    }
    return child;
}

}  // namespace coir::test
