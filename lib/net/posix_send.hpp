// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_descriptor_wait.hpp"
#include "net/posix_parts.hpp"
#include "net/posix_pending_error.hpp"

#include <sys/socket.h>
#include <sys/types.h>
#include <cerrno>
#include <cstddef>

namespace coir::detail {

// What a stream has not taken at the first try. Ancillary data went with the first byte.
inline std::size_t send_rest(descriptor_wait& wait, int fd, int flags, const transfer_parts& parts,
                             std::size_t moved, std::size_t total) noexcept {
    while (moved < total) {
        // An error that comes after a part is the next call's.
        if (!wait.until_ready() || sending_would_fail(fd)) {
            break;
        }
        auto window = parts.after(moved);
        msghdr rest{};
        rest.msg_iov = window.parts.data();
        rest.msg_iovlen = window.count;
        const ssize_t more = sys.sendmsg(fd, &rest, flags | MSG_DONTWAIT);
        if (more >= 0) {
            moved += static_cast<std::size_t>(more);
            wait.progressed();
        } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
            break;
        }
    }
    return moved;
}

// A send on a socket, waiting as a blocking one does. `first` tries it as the program made it, but
// for MSG_DONTWAIT. Only streams take parts; a datagram goes whole or not at all.
template <class First>
ssize_t send_on_socket(descriptor_wait& wait, int fd, int flags, const transfer_parts& parts,
                       First first) noexcept {
    ssize_t result = first();
    while (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        if (!wait.until_ready()) {
            return wait.fail();
        }
        result = first();
    }
    if (result >= 0) {
        const auto moved = static_cast<std::size_t>(result);
        if (const std::size_t total = parts.total(); moved < total) {
            wait.progressed();
            result = static_cast<ssize_t>(send_rest(wait, fd, flags, parts, moved, total));
        }
    }
    return result;
}

template <class First>
ssize_t send_all(int fd, int flags, const transfer_parts& parts, First first) noexcept {
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    if ((flags & MSG_DONTWAIT) != 0) {
        return call.end(first(), false);
    }
    descriptor_wait wait(fd, direction::write);
    const ssize_t result = send_on_socket(wait, fd, flags, parts, first);
    return call.end(result, wait.waited());
}

}  // namespace coir::detail
