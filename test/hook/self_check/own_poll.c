// SPDX-License-Identifier: BSL-1.0
// A library that has a function of its own by a name of libc's, and calls it.
#include <poll.h>

int wait_for_nothing(void);

int poll(struct pollfd* descriptors, nfds_t count, int timeout) {
    (void)descriptors;
    (void)count;
    (void)timeout;
    return 42;
}

int wait_for_nothing(void) { return poll(0, 0, 0); }
