// SPDX-License-Identifier: BSL-1.0
// A program that knows nothing of coir, and is linked with libcoir-hook.so.
#include <poll.h>

int main(void) { return poll(0, 0, 0) < 0; }
