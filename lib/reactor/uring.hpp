// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/own_descriptor.hpp"
#include "reactor/io_interest.hpp"

#include <coir/deadline.hpp>

#include <sys/types.h>

#include <liburing.h>
#include <cstdint>

namespace coir::detail {

// io_uring(7): what is asked of the kernel goes through one ring, and what it has to say comes back
// through another. liburing maps them and fills entries in; the calls are made here, through the
// table. Asking costs no system call: entries wait until enter(), and one call takes them all and
// waits as well.
//
// Used by the thread that made it, alone. In a child of fork(2) it does nothing, not even when it
// is destroyed: the rings are memory that the child shares with its parent.
class uring {
public:
    explicit uring(watched_by watcher);  // throws std::system_error
    uring(const uring&) = delete;
    uring& operator=(const uring&) = delete;
    ~uring();

    // Readable when there are completions, or enter() would bring some.
    int descriptor() const noexcept { return descriptor_.get(); }

    // A place for a request, to be filled in by one of liburing's io_uring_prep_ functions. If all
    // are taken the kernel gets those first. Null if it has no memory for them.
    io_uring_sqe* request() noexcept;

    // The place, counted from the first, of the request to be made next.
    unsigned next_place() const noexcept { return ring_.sq.sqe_tail; }
    // The request that was made there; null if the kernel has it.
    io_uring_sqe* still_here(unsigned place) noexcept;

    bool has_requests() const noexcept { return io_uring_sq_ready(&ring_) != 0; }

    // Sends what was asked for since the last time, and waits until there is a completion or
    // `until` has passed; may return early. If there is one already, it only sends. Keeps errno.
    void enter(deadline until) noexcept;

    // The next completion; null if there is none. It stays where it is until it is taken.
    const io_uring_cqe* next() noexcept;
    void take() noexcept { io_uring_cq_advance(&ring_, 1); }

    // Calls visit(completion) for all that are there; takes none.
    template <class F>
    void for_each(F visit) noexcept {
        unsigned head = 0;
        io_uring_cqe* completion = nullptr;
        io_uring_for_each_cqe(&ring_, head, completion) { visit(*completion); }
    }

    bool in_child_of_fork() const noexcept;

private:
    bool wants_to_enter() const noexcept;
    int enter_kernel(unsigned least, unsigned flags, void* argument, std::size_t size) noexcept;

    own_descriptor descriptor_;
    io_uring ring_{};
    const pid_t process_;
};

}  // namespace coir::detail
