/* SPDX-License-Identifier: BSL-1.0
 * TCP echo on epoll(7), edge-triggered. As epoll(7) says of streams, a recv of less than the buffer
 * holds has drained the socket, so none is spent to learn EAGAIN. */
#include "server.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static void watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = descriptor};
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

static void accept_all(int epoll, int listener) {
    for (;;) {
        const int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (accepted < 0) {
            if (errno != EAGAIN) {
                checked(accepted, "accept4");
            }
            return;
        }
        set_no_delay(accepted);
        watch(epoll, accepted);
    }
}

/* A send that does less than it is asked to ends the connection, as in echo_epoll.c. */
static void answer_all(int socket, int ended) {
    static char buffer[buffer_size];
    ssize_t got;
    do {
        got = recv(socket, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (got <= 0 || send(socket, buffer, (size_t)got, MSG_NOSIGNAL) != got) {
            close(socket);
            return;
        }
    } while (got == (ssize_t)sizeof buffer || ended);
}

int main(void) {
    const int listener = listen_on_loopback(SOCK_NONBLOCK);
    const int epoll = checked(epoll_create1(0), "epoll_create1");
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[256];
        const int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            if (events[i].data.fd == listener) {
                accept_all(epoll, listener);
            } else {
                answer_all(events[i].data.fd, (events[i].events & (EPOLLRDHUP | EPOLLHUP)) != 0);
            }
        }
    }
}
