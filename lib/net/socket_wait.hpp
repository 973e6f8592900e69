// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/waiter.hpp"
#include "reactor/completions.hpp"
#include "reactor/wait_io.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace coir::detail {

// Waits until the next call on a socket of ours may do something: after a call that said EAGAIN, or
// when the readiness bit is clear. Throws operation_cancelled.
//
// `descriptor` is the socket's member. Between the event and this fiber's next turn another one may
// have closed the socket, and the number may mean somebody else's already: so it is compared.
inline std::error_code wait_for_socket(const int& descriptor, direction d) {
    const int waited_for = descriptor;
    for (;;) {
        io_drained(waited_for, d);
        const io_result result =
            wait_io({waited_for, d, descriptor_kind::owned}, deadline::never());
        if (result.status != wait_status::notified) {
            check_cancelled();
        } else if (result.error != 0) {
            return {result.error, std::system_category()};
        } else if (descriptor != waited_for) {
            return {EBADF, std::system_category()};
        } else {
            return {};
        }
    }
}

// Has the kernel make a call on a socket of ours, and waits until it is over. Throws
// operation_cancelled. @returns why it could not be made; else its outcome is the operation's.
inline std::error_code perform_on_socket(io_operation& operation) {
    for (;;) {
        const io_result result = io_perform(operation);
        if (result.ready()) {
            return {};
        }
        if (result.error != 0) {
            return {result.error, std::system_category()};
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
