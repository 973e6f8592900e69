/* SPDX-License-Identifier: BSL-1.0
 * What the servers in C have in common: a listening socket, and an end with a reason. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { buffer_size = 16384 };

static inline int checked(int result, const char* what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
    return result;
}

/* Listens on a free port of loopback and says which. */
static inline int listen_on_loopback(int type_flags) {
    const int listener = checked(socket(AF_INET, SOCK_STREAM | type_flags, 0), "socket");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    checked(bind(listener, (struct sockaddr*)&address, size), "bind");
    checked(listen(listener, 4096), "listen");
    checked(getsockname(listener, (struct sockaddr*)&address, &size), "getsockname");
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static inline void set_no_delay(int socket) {
    const int on = 1;
    checked(setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}
