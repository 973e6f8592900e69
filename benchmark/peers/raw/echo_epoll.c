/* SPDX-License-Identifier: BSL-1.0
 * TCP echo on epoll(7), level-triggered: the limit that the others are measured by. One wait for
 * all that is ready, then a recv and a send for each. */
#include "server.h"

#include <sys/epoll.h>
#include <unistd.h>

static void watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

static void accept_one(int epoll, int listener) {
    const int accepted = checked(accept4(listener, NULL, NULL, SOCK_NONBLOCK), "accept4");
    set_no_delay(accepted);
    watch(epoll, accepted);
}

/* A client has one request under way at most, and that fits the socket's buffer: a send that does
 * less than it is asked to ends the connection. */
static void answer(int socket) {
    static char buffer[buffer_size];
    const ssize_t got = recv(socket, buffer, sizeof buffer, 0);
    if (got <= 0 || send(socket, buffer, (size_t)got, MSG_NOSIGNAL) != got) {
        close(socket);
    }
}

int main(void) {
    const int listener = listen_on_loopback(0);
    const int epoll = checked(epoll_create1(0), "epoll_create1");
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[256];
        const int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            if (events[i].data.fd == listener) {
                accept_one(epoll, listener);
            } else {
                answer(events[i].data.fd);
            }
        }
    }
}
