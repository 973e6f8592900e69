// SPDX-License-Identifier: BSL-1.0
// One call of each treatment.
#include <netdb.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

long every_treatment(int fd, char* data) {
    struct addrinfo* addresses = 0;
    getaddrinfo("localhost", 0, 0, &addresses);  // offloaded
    recv(fd, data, 1, 0);                        // hooked
    fsync(fd);                                   // optional
    tcdrain(fd);                                 // passed
    getnetbyname("loopback");                    // missed
    return close(fd);                            // wrapped
}
