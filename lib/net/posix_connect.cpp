// SPDX-License-Identifier: BSL-1.0
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_descriptor_wait.hpp"
#include "net/posix_nonblocking_instant.hpp"

namespace coir::detail {

namespace {

int connect_at_once(int fd, int flags, const sockaddr* to, socklen_t to_size) noexcept {
    const nonblocking_instant instant(fd, flags);
    return sys.connect(fd, to, to_size);
}

// The attempt is under way. Its outcome is fetched by another connect, not by SO_ERROR: that leaves
// the socket in the state that a blocking connect leaves, so that a refused one can be tried again.
int await_attempt(descriptor_wait& wait, int fd, int flags, const sockaddr* to,
                  socklen_t to_size) noexcept {
    const int under_way = errno;  // EALREADY if an earlier call began it
    for (;;) {
        if (!wait.until_ready()) {
            return wait.fail(under_way);
        }
        if (connect_at_once(fd, flags, to, to_size) == 0 || errno == EISCONN) {
            return 0;
        }
        if (errno != EALREADY && errno != EINPROGRESS) {
            return -1;
        }
    }
}

int connect_waiting(descriptor_wait& wait, int fd, int flags, const sockaddr* to,
                    socklen_t to_size) noexcept {
    for (;;) {
        const int result = connect_at_once(fd, flags, to, to_size);
        if (result == 0) {
            return 0;
        }
        if (errno == EINPROGRESS || errno == EALREADY) {
            return await_attempt(wait, fd, flags, to, to_size);
        }
        // A full backlog of a Unix listener; nothing tells when it has room. Elsewhere EAGAIN is an
        // error like others, see connect(2).
        if (errno != EAGAIN || to->sa_family != AF_UNIX) {
            return -1;
        }
        if (!wait.for_a_moment()) {
            return wait.fail();
        }
    }
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

int connect(int fd, const sockaddr* to, socklen_t to_size) noexcept {
    using namespace detail;
    if (posix_call::is_for_libc()) {
        return sys.connect(fd, to, to_size);
    }
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    const int flags = sys.fcntl(fd, F_GETFL, 0);
    if (flags < 0 || (flags & O_NONBLOCK) != 0) {
        return call.end(sys.connect(fd, to, to_size), false);
    }
    descriptor_wait wait(fd, direction::write);
    const int result = connect_waiting(wait, fd, flags, to, to_size);
    return call.end(result, wait.waited());
}

}  // namespace coir::posix
