// SPDX-License-Identifier: BSL-1.0
// Defines a function that is hooked, and calls it: built with -Bsymbolic and without.
int connect(int fd, const void* address, unsigned size) {
    (void)address;
    return fd + (int)size;
}

int uses_own_connect(int fd) { return connect(fd, 0, 0); }
