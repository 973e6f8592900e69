// SPDX-License-Identifier: BSL-1.0
// close, dup2, dup3: the end of a descriptor. Who waits for it is told before the kernel may give
// its number out again, or he would go on with somebody else's data; and who begins to wait when
// the end is near is told after it.
//
// None of these is a cancellation point: a cancelled scope must be able to let go of what it holds.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "reactor/wait_io.hpp"

#include <cerrno>

namespace coir::detail {

namespace {

// Whether dup2 would close `new_fd`.
bool replaces(int old_fd, int new_fd) noexcept {
    const int before = errno;
    const bool is_open = sys.fcntl(old_fd, F_GETFD, 0) >= 0;
    errno = before;
    return is_open && old_fd != new_fd;
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

int close(int fd) noexcept { return detail::io_close(fd); }

int dup2(int old_fd, int new_fd) noexcept {
    const detail::io_closing closing(detail::replaces(old_fd, new_fd) ? new_fd : -1);
    return detail::sys.dup2(old_fd, new_fd);
}

#ifdef __linux__
int dup3(int old_fd, int new_fd, int flags) noexcept {
    const detail::io_closing closing(detail::replaces(old_fd, new_fd) ? new_fd : -1);
    return detail::sys.dup3(old_fd, new_fd, flags);
}
#endif

}  // namespace coir::posix
