// SPDX-License-Identifier: BSL-1.0
// All that it imports is hooked.
#include <poll.h>
#include <unistd.h>

long polls_and_reads(struct pollfd* fd, char* data) {
    return poll(fd, 1, -1) == 1 ? read(fd->fd, data, 1) : -1;
}
