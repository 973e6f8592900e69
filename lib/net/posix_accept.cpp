// SPDX-License-Identifier: BSL-1.0
// accept, accept4.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_descriptor_wait.hpp"
#include "net/posix_nonblocking_instant.hpp"

namespace coir::detail {

namespace {

int accept_at_once(int fd, int fd_flags, sockaddr* from, socklen_t* from_size, int flags) noexcept {
    const nonblocking_instant instant(fd, fd_flags);
    return sys.accept4(fd, from, from_size, flags);
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

int accept4(int fd, sockaddr* from, socklen_t* from_size, int flags) noexcept {
    using namespace detail;
    if (posix_call::is_for_libc()) {
        return sys.accept4(fd, from, from_size, flags);
    }
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    const int fd_flags = sys.fcntl(fd, F_GETFL, 0);
    if (fd_flags < 0 || (fd_flags & O_NONBLOCK) != 0) {
        return call.end(sys.accept4(fd, from, from_size, flags), false);
    }
    descriptor_wait wait(fd, direction::read);
    for (;;) {
        const int accepted = accept_at_once(fd, fd_flags, from, from_size, flags);
        if (accepted >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
            return call.end(accepted, wait.waited());
        }
        if (!wait.until_ready()) {
            return call.end(wait.fail(), wait.waited());
        }
    }
}

int accept(int fd, sockaddr* from, socklen_t* from_size) noexcept {
    return posix::accept4(fd, from, from_size, 0);
}

}  // namespace coir::posix
