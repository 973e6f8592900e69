// SPDX-License-Identifier: BSL-1.0
// recvmmsg, sendmmsg: message by message, as the kernel does it.
#include <coir/posix.hpp>

#ifdef __linux__

#include "net/posix_call.hpp"
#include "net/posix_pending_error.hpp"
#include "net/posix_timespec.hpp"

#include <algorithm>
#include <climits>

namespace coir::posix {

using detail::posix_call;

int recvmmsg(int fd, mmsghdr* messages, unsigned int count, int flags, timespec* timeout) noexcept {
    if (posix_call::is_for_libc()) {
        return ::recvmmsg(fd, messages, count, flags, timeout);
    }
    if (timeout != nullptr && !detail::is_valid(*timeout)) {
        errno = EINVAL;
        return -1;
    }
    const deadline until =
        timeout != nullptr ? detail::deadline_after(*timeout) : deadline::never();
    const int one_flags = flags & ~MSG_WAITFORONE;
    int more_flags = one_flags;
    if ((flags & MSG_WAITFORONE) != 0) {
        more_flags |= MSG_DONTWAIT;
    }
    posix_call call;
    unsigned int received = 0;
    while (received < std::min<unsigned int>(count, IOV_MAX)) {
        // An error that comes after a message is the next call's.
        if (received > 0 && detail::only_an_error_is_left(fd)) {
            break;
        }
        mmsghdr& one = messages[received];
        const ssize_t size =
            posix::recvmsg(fd, &one.msg_hdr, received == 0 ? one_flags : more_flags);
        if (size < 0) {
            if (received == 0) {
                return -1;
            }
            break;
        }
        one.msg_len = static_cast<unsigned int>(size);
        ++received;
        if (until.has_passed() || (one.msg_hdr.msg_flags & MSG_OOB) != 0) {
            break;
        }
    }
    if (timeout != nullptr && !until.is_never()) {
        *timeout = detail::to_timespec(until.remaining());
    }
    return call.end(static_cast<int>(received), true);
}

int sendmmsg(int fd, mmsghdr* messages, unsigned int count, int flags) noexcept {
    if (posix_call::is_for_libc()) {
        return ::sendmmsg(fd, messages, count, flags | MSG_NOSIGNAL);
    }
    posix_call call;
    unsigned int sent = 0;
    while (sent < std::min<unsigned int>(count, IOV_MAX)) {
        const ssize_t size = posix::sendmsg(fd, &messages[sent].msg_hdr, flags);
        if (size < 0) {
            if (sent == 0) {
                return -1;
            }
            break;
        }
        messages[sent++].msg_len = static_cast<unsigned int>(size);
    }
    return call.end(static_cast<int>(sent), true);
}

}  // namespace coir::posix

#endif
