/* SPDX-License-Identifier: BSL-1.0
 * TCP echo on io_uring: a receive is asked for once a connection, completes for each request, and
 * takes its buffer from a ring of them that all connections share. */
#include "uring.h"

#include <sys/mman.h>
#include <unistd.h>

enum { buffers = 256, buffer_group = 0 };

static struct io_uring_buf_ring* free_buffers;
static char memory[buffers][buffer_size];

/* What a completion is about: the descriptor above, the buffer of a send in the middle. */
enum operation { accepting, receiving, sending };
static __u64 about(enum operation what, int descriptor, unsigned buffer) {
    return (__u64)(unsigned)descriptor << 32 | (__u64)buffer << 8 | what;
}

static void give_back(unsigned buffer) {
    io_uring_buf_ring_add(free_buffers, memory[buffer], buffer_size, (unsigned short)buffer,
                          io_uring_buf_ring_mask(buffers), 0);
    io_uring_buf_ring_advance(free_buffers, 1);
}

static void want_requests(int socket) {
    make_room(1);
    struct io_uring_sqe* const entry = io_uring_get_sqe(&ring);
    io_uring_prep_recv_multishot(entry, socket, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = buffer_group;
    io_uring_sqe_set_data64(entry, about(receiving, socket, 0));
}

static void answer(int socket, unsigned buffer, unsigned size) {
    make_room(1);
    struct io_uring_sqe* const entry = io_uring_get_sqe(&ring);
    io_uring_prep_send(entry, socket, memory[buffer], size, MSG_NOSIGNAL | MSG_WAITALL);
    io_uring_sqe_set_data64(entry, about(sending, socket, buffer));
}

static void take_request(const struct io_uring_cqe* completion, int socket) {
    if (completion->res > 0) {
        answer(socket, completion->flags >> IORING_CQE_BUFFER_SHIFT, (unsigned)completion->res);
    } else if (completion->res != -ENOBUFS) { /* all are being sent: then it is asked for again */
        close(socket);
        return;
    }
    if ((completion->flags & IORING_CQE_F_MORE) == 0) {
        want_requests(socket);
    }
}

static void take(const struct io_uring_cqe* completion, int listener) {
    switch ((enum operation)(completion->user_data & 0xff)) {
        case accepting: want_requests(accepted_socket(completion, listener)); break;
        case receiving: take_request(completion, (int)(completion->user_data >> 32)); break;
        case sending: /* of one that failed, the receive tells as well */
            give_back((unsigned)(completion->user_data >> 8) & 0xffff);
            break;
    }
}

static void make_buffers(void) {
    free_buffers = mmap(NULL, buffers * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE,
                        MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (free_buffers == MAP_FAILED) {
        checked(-1, "mmap");
    }
    struct io_uring_buf_reg registration = {
        .ring_addr = (__u64)(size_t)free_buffers, .ring_entries = buffers, .bgid = buffer_group};
    completed(io_uring_register_buf_ring(&ring, &registration, 0), "io_uring_register_buf_ring");
    io_uring_buf_ring_init(free_buffers);
    for (unsigned i = 0; i < buffers; ++i) {
        give_back(i);
    }
}

int main(void) {
    const int listener = listen_on_loopback(0);
    start_ring();
    make_buffers();
    serve(listener, take);
}
