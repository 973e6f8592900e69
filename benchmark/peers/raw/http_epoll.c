/* SPDX-License-Identifier: BSL-1.0
 * HTTP on epoll(7), level-triggered, of which it knows no more than where a request without a body
 * ends: each is answered with the same words, and the connection is kept. */
#include "server.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static const char response[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\nHello, world!\n";

static unsigned char* matched; /* by descriptor: how much of the empty line has been seen */

static void watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

static void accept_one(int epoll, int listener) {
    const int accepted = checked(accept4(listener, NULL, NULL, SOCK_NONBLOCK), "accept4");
    set_no_delay(accepted);
    matched[accepted] = 0;
    watch(epoll, accepted);
}

/* How many requests end in what has come. Whatever comes before a carriage return is passed over.
 */
static unsigned requests_ended(const char* data, size_t size, unsigned char* seen) {
    static const char end[] = "\r\n\r\n";
    unsigned ended = 0;
    for (const char* at = data; at < data + size; ++at) {
        if (*seen == 0 && (at = memchr(at, '\r', size - (size_t)(at - data))) == NULL) {
            break;
        }
        *seen = *at == end[*seen] ? (unsigned char)(*seen + 1) : *at == '\r';
        if (*seen == sizeof end - 1) {
            *seen = 0;
            ++ended;
        }
    }
    return ended;
}

static void answer(int socket) {
    static char buffer[buffer_size];
    const ssize_t got = recv(socket, buffer, sizeof buffer, 0);
    if (got <= 0) {
        close(socket);
        return;
    }
    const ssize_t size = sizeof response - 1;
    for (unsigned left = requests_ended(buffer, (size_t)got, &matched[socket]); left > 0; --left) {
        if (send(socket, response, (size_t)size, MSG_NOSIGNAL) != size) {
            close(socket);
            return;
        }
    }
}

int main(void) {
    matched = calloc((size_t)sysconf(_SC_OPEN_MAX), 1);
    if (matched == NULL) {
        checked(-1, "calloc");
    }
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
