// SPDX-License-Identifier: BSL-1.0
// send, sendto, sendmsg.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_send.hpp"

namespace coir::posix {

using detail::posix_call;
using detail::sys;

// MSG_NOSIGNAL everywhere: SIGPIPE never happens.

ssize_t send(int fd, const void* data, std::size_t size, int flags) noexcept {
    flags |= MSG_NOSIGNAL;
    if (posix_call::is_for_libc()) {
        return sys.send(fd, data, size, flags);
    }
    const iovec part{const_cast<void*>(data), size};
    return detail::send_all(fd, flags, {&part, 1},
                            [&] { return sys.send(fd, data, size, flags | MSG_DONTWAIT); });
}

ssize_t sendto(int fd, const void* data, std::size_t size, int flags, const sockaddr* to,
               socklen_t to_size) noexcept {
    flags |= MSG_NOSIGNAL;
    if (posix_call::is_for_libc()) {
        return sys.sendto(fd, data, size, flags, to, to_size);
    }
    const iovec part{const_cast<void*>(data), size};
    return detail::send_all(fd, flags, {&part, 1}, [&] {
        return sys.sendto(fd, data, size, flags | MSG_DONTWAIT, to, to_size);
    });
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept {
    flags |= MSG_NOSIGNAL;
    if (posix_call::is_for_libc() || message == nullptr) {
        return sys.sendmsg(fd, message, flags);
    }
    return detail::send_all(fd, flags, {message->msg_iov, message->msg_iovlen},
                            [&] { return sys.sendmsg(fd, message, flags | MSG_DONTWAIT); });
}

}  // namespace coir::posix
