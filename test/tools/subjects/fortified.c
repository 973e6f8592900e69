// SPDX-License-Identifier: BSL-1.0
// What _FORTIFY_SOURCE makes of calls whose buffer it knows and whose size it does not.
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

long fortified(int fd, FILE* file, unsigned long size, int count) {
    struct pollfd fds[2] = {{fd, POLLIN, 0}, {fd, POLLIN, 0}};
    char data[16];
    long sum = read(fd, data, size);
    sum += recv(fd, data, size, 0);
    sum += recvfrom(fd, data, size, 0, 0, 0);
    sum += poll(fds, (nfds_t)count, -1);
    sum += fgets(data, count, file) != 0;
    sum += (long)fread(data, 1, size, file);
    sum += fprintf(file, "%s", data);
    syslog(LOG_INFO, "%s", data);
    return sum + pread(fd, data, size, 0);
}
