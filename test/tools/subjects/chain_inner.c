// SPDX-License-Identifier: BSL-1.0
// Needs chain_innermost, which nothing says how to find; a DT_RPATH of its user would.
#include <sys/socket.h>

unsigned chain_innermost(int fd);

unsigned chain_inner(int fd) {
    char byte = 0;
    return (unsigned)send(fd, &byte, 1, 0) + chain_innermost(fd);
}
