// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/waiter.hpp"
#include "reactor/completions.hpp"
#include "reactor/readiness_bit.hpp"
#include "reactor/wait_io.hpp"

#include <cerrno>
#include <utility>

namespace coir::detail {

// Waits until the next call on a socket of ours may do something: after a call that said EAGAIN, or
// when the readiness bit is clear. Throws operation_cancelled.
//
// `descriptor` is the socket's member. Between the event and this fiber's next turn another one may
// have closed the socket, and the number may mean somebody else's already: so it is compared.
// @returns the errno of why there was nothing to wait for; 0.
inline int wait_for_socket(const int& descriptor, direction d, readiness_bit& ready) {
    const int waited_for = descriptor;
    for (;;) {
        ready.clear();
        const io_result result =
            wait_io({waited_for, d, descriptor_kind::owned}, deadline::never());
        if (result.status != wait_status::notified) {
            check_cancelled();
        } else {
            return result.error == 0 && descriptor != waited_for ? EBADF : result.error;
        }
    }
}

// Has the kernel make a call on a socket of ours, and waits until it is over. Throws
// operation_cancelled. @returns the errno of why it could not be made; 0: the outcome is the
// operation's.
inline int perform_on_socket(io_operation& operation) {
    for (;;) {
        const io_result result = io_perform(operation);
        if (result.status == wait_status::notified || result.error != 0) {
            return result.error;
        }
        check_cancelled();
        operation.over = false;
    }
}

// The outcome as the system call returns it, errno included.
inline int returned_by(const io_operation& operation) noexcept {
    if (operation.result >= 0) {
        return operation.result;
    }
    errno = -operation.result;
    return -1;
}

// Closes a socket of ours, if it is open, and ends the waits for it. Keeps errno, as destructors
// do.
inline void close_socket(int& descriptor) noexcept {
    const int closing = std::exchange(descriptor, -1);
    if (closing >= 0) {
        const int saved = errno;
        io_close(closing);
        errno = saved;
    }
}

}  // namespace coir::detail
