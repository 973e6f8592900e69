/* SPDX-License-Identifier: BSL-1.0
 * TCP echo on poll(2): every call hands the kernel all descriptors, and looks through all of them
 * for those that are ready. */
#include "server.h"

#include <poll.h>
#include <unistd.h>

static struct pollfd* polled; /* the listener, then the connections */
static size_t used;
static size_t capacity;

static void watch(int descriptor) {
    if (used == capacity) {
        capacity = 2 * capacity + 64;
        polled = realloc(polled, capacity * sizeof *polled);
        if (polled == NULL) {
            checked(-1, "realloc");
        }
    }
    polled[used++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
}

/* False: the connection has ended. A send that does less than it is asked to ends it, as in
 * echo_epoll.c. */
static int answer(int socket) {
    static char buffer[buffer_size];
    const ssize_t got = recv(socket, buffer, sizeof buffer, 0);
    if (got > 0 && send(socket, buffer, (size_t)got, MSG_NOSIGNAL) == got) {
        return 1;
    }
    close(socket);
    return 0;
}

int main(void) {
    const int listener = listen_on_loopback(0);
    watch(listener);
    for (;;) {
        int ready = poll(polled, used, -1);
        /* From the back, so that the last one, which takes the place of one that has ended, has
         * been seen already. */
        for (size_t i = used; i-- > 1 && ready > 0;) {
            if (polled[i].revents == 0) {
                continue;
            }
            --ready;
            if (!answer(polled[i].fd)) {
                polled[i] = polled[--used];
            }
        }
        if (polled[0].revents != 0) {
            const int accepted = checked(accept4(listener, NULL, NULL, SOCK_NONBLOCK), "accept4");
            set_no_delay(accepted);
            watch(accepted);
        }
    }
}
