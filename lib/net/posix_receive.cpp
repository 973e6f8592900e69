// SPDX-License-Identifier: BSL-1.0
// recv, recvfrom, recvmsg.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_descriptor_wait.hpp"
#include "net/posix_parts.hpp"
#include "net/posix_pending_error.hpp"

namespace coir::detail {

namespace {

// The kernel never blocks a thread for these: urgent data and the error queue are there or not.
constexpr int never_waits = MSG_DONTWAIT | MSG_OOB
#ifdef __linux__
                            | MSG_ERRQUEUE
#endif
    ;

bool is_stream(int fd) noexcept {
    int type = 0;
    socklen_t size = sizeof type;
    return sys.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

// A local peer's messages are not glued together for a look, MSG_WAITALL or not.
bool peeks_at_all(int fd) noexcept {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    return sys.getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
           name.ss_family != AF_UNIX;
}

bool has_descriptors(msghdr& message) noexcept {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            return true;
        }
    }
    return false;
}

// MSG_WAITALL after a part has come: the rest. `message` (or null) takes what ancillary data comes
// with it; descriptors end the call, as in the kernel, since later ones would overwrite them.
ssize_t receive_rest(descriptor_wait& wait, int fd, int flags, const transfer_parts& parts,
                     std::size_t moved, msghdr* message, std::size_t control_size) noexcept {
    const std::size_t total = parts.total();
    while (moved < total) {
        wait.progressed();
        // An error that comes after a part is the next call's.
        if ((message != nullptr && has_descriptors(*message)) || !wait.until_ready() ||
            only_an_error_is_left(fd)) {
            break;
        }
        auto window = parts.after(moved);
        msghdr rest{};
        rest.msg_iov = window.parts.data();
        rest.msg_iovlen = window.count;
        if (message != nullptr) {
            rest.msg_control = message->msg_control;
            rest.msg_controllen = control_size;
        }
        const ssize_t more = sys.recvmsg(fd, &rest, flags | MSG_DONTWAIT);
        if (more < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            continue;
        }
        if (more <= 0) {
            break;
        }
        moved += static_cast<std::size_t>(more);
        if (message != nullptr && rest.msg_controllen > 0) {
            message->msg_controllen = rest.msg_controllen;
            message->msg_flags |= rest.msg_flags;
        }
    }
    return static_cast<ssize_t>(moved);
}

// MSG_PEEK with MSG_WAITALL: what a look leaves behind keeps the socket readable, so there is no
// event to wait for, and the socket is looked at again and again.
template <class First>
ssize_t peek_all(descriptor_wait& wait, int fd, std::size_t total, ssize_t seen,
                 First first) noexcept {
    while (static_cast<std::size_t>(seen) < total && wait.for_a_moment()) {
        const bool complete =
            no_more_will_come(fd);  // asked before the look, which then is the last
        const ssize_t more = first();
        if (more > 0) {
            seen = more;
        }
        if (more <= 0 || complete) {
            break;
        }
    }
    return seen;
}

// `first` tries the call as the program made it, but for MSG_DONTWAIT.
template <class First>
ssize_t receive(int fd, int flags, const transfer_parts& parts, msghdr* message,
                First first) noexcept {
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    if ((flags & never_waits) != 0) {
        return call.end(first(), false);
    }
    const std::size_t control_size = message != nullptr ? message->msg_controllen : 0;
    descriptor_wait wait(fd, direction::read);
    ssize_t result = first();
    while (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        if (!wait.until_ready()) {
            return call.end(static_cast<ssize_t>(wait.fail()), wait.waited());
        }
        result = first();
    }
    if ((flags & MSG_WAITALL) != 0 && result > 0 &&
        static_cast<std::size_t>(result) < parts.total() && is_stream(fd)) {
        if ((flags & MSG_PEEK) == 0) {
            result = receive_rest(wait, fd, flags, parts, static_cast<std::size_t>(result), message,
                                  control_size);
        } else if (peeks_at_all(fd)) {
            result = peek_all(wait, fd, parts.total(), result, first);
        }
    }
    return call.end(result, wait.waited());
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

ssize_t recv(int fd, void* data, std::size_t size, int flags) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.recv(fd, data, size, flags);
    }
    const iovec part{data, size};
    return detail::receive(fd, flags, {&part, 1}, nullptr,
                           [&] { return sys.recv(fd, data, size, flags | MSG_DONTWAIT); });
}

ssize_t recvfrom(int fd, void* data, std::size_t size, int flags, sockaddr* from,
                 socklen_t* from_size) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.recvfrom(fd, data, size, flags, from, from_size);
    }
    const iovec part{data, size};
    // The size that was given, for a look that is repeated: the kernel overwrites it.
    const socklen_t capacity = from_size != nullptr ? *from_size : 0;
    return detail::receive(fd, flags, {&part, 1}, nullptr, [&] {
        if (from_size != nullptr) {
            *from_size = capacity;
        }
        return sys.recvfrom(fd, data, size, flags | MSG_DONTWAIT, from, from_size);
    });
}

ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept {
    if (posix_call::is_for_libc() || message == nullptr) {
        return sys.recvmsg(fd, message, flags);
    }
    const msghdr given = *message;
    return detail::receive(fd, flags, {given.msg_iov, given.msg_iovlen}, message, [&] {
        *message = given;
        return sys.recvmsg(fd, message, flags | MSG_DONTWAIT);
    });
}

}  // namespace coir::posix
