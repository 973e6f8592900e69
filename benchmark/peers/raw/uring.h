/* SPDX-License-Identifier: BSL-1.0
 * What the servers on io_uring have in common: the ring, and one system call a round, which submits
 * what the completions of the last round have asked for and waits for more. */
#pragma once

#include "server.h"

#include <errno.h>
#include <liburing.h>

enum { ring_entries = 4096 };

static struct io_uring ring;

/* As checked(), for results that are negative error numbers. */
static inline int completed(int result, const char* what) {
    if (result < 0) {
        errno = -result;
    }
    return checked(result, what);
}

static inline void start_ring(void) {
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = 4 * ring_entries};
    completed(io_uring_queue_init_params(ring_entries, &ring, &parameters), "io_uring_queue_init");
    io_uring_register_ring_fd(&ring); /* speed only: may fail */
}

/* Room for so many entries that are submitted together. */
static inline void make_room(unsigned entries) {
    while (io_uring_sq_space_left(&ring) < entries) {
        io_uring_submit(&ring);
    }
}

/* Completions of `tag` 0 are those of accepting. */
static inline void want_connections(int listener) {
    make_room(1);
    struct io_uring_sqe* const entry = io_uring_get_sqe(&ring);
    io_uring_prep_multishot_accept(entry, listener, NULL, NULL, SOCK_NONBLOCK);
    io_uring_sqe_set_data64(entry, 0);
}

static inline int accepted_socket(const struct io_uring_cqe* completion, int listener) {
    const int accepted = completed(completion->res, "accept");
    set_no_delay(accepted);
    if ((completion->flags & IORING_CQE_F_MORE) == 0) {
        want_connections(listener);
    }
    return accepted;
}

static inline void serve(int listener, void (*take)(const struct io_uring_cqe*, int listener)) {
    want_connections(listener);
    for (;;) {
        const int submitted = io_uring_submit_and_wait(&ring, 1);
        if (submitted != -EINTR) {
            completed(submitted, "io_uring_submit_and_wait");
        }
        struct io_uring_cqe* completion;
        unsigned head;
        unsigned seen = 0;
        io_uring_for_each_cqe(&ring, head, completion) {
            take(completion, listener);
            ++seen;
        }
        io_uring_cq_advance(&ring, seen);
    }
}
