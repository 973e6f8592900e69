// SPDX-License-Identifier: BSL-1.0
// A program with nothing to tell of; built dynamic, static, and with the dynamic linker of another
// libc.
#include <unistd.h>

int main(void) {
    char byte = 0;
    return (int)read(0, &byte, 1);
}
