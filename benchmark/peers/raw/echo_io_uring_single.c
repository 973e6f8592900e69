/* SPDX-License-Identifier: BSL-1.0
 * TCP echo on io_uring: each request is received by an operation of its own, into its connection's
 * own buffer. An answer and the next receive are linked, so that a request makes one completion. */
#include "uring.h"

#include <unistd.h>

struct connection {
    int socket;
    char buffer[buffer_size];
};

/* There is nothing to receive yet, as a rule, so the kernel is told to wait before it tries. */
static void want_request(struct connection* from) {
    struct io_uring_sqe* const entry = io_uring_get_sqe(&ring);
    io_uring_prep_recv(entry, from->socket, from->buffer, buffer_size, 0);
    entry->ioprio |= IORING_RECVSEND_POLL_FIRST;
    io_uring_sqe_set_data(entry, from);
}

static void answer(struct connection* to, unsigned size) {
    make_room(2); /* a link must not be torn */
    struct io_uring_sqe* const entry = io_uring_get_sqe(&ring);
    io_uring_prep_send(entry, to->socket, to->buffer, size, MSG_NOSIGNAL | MSG_WAITALL);
    entry->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data(entry, to);
    want_request(to);
}

static void take(const struct io_uring_cqe* completion, int listener) {
    struct connection* connection = io_uring_cqe_get_data(completion);
    if (connection == NULL) {
        connection = malloc(sizeof *connection);
        if (connection == NULL) {
            checked(-1, "malloc");
        }
        connection->socket = accepted_socket(completion, listener);
        make_room(1);
        want_request(connection);
    } else if (completion->res > 0) {
        answer(connection, (unsigned)completion->res);
    } else if (connection->socket >=
               0) { /* not freed: the linked receive may yet tell of its end */
        close(connection->socket);
        connection->socket = -1;
    }
}

int main(void) {
    const int listener = listen_on_loopback(0);
    start_ring();
    serve(listener, take);
}
