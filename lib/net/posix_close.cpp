// SPDX-License-Identifier: BSL-1.0
// close, dup2, dup3: the end of a descriptor. Who waits for it is told before the kernel may give
// its number out again, or he would go on with somebody else's data; and who begins to wait when
// the end is near is told after it.
//
// None of these is a cancellation point: a cancelled scope must be able to let go of what it holds.
// And none closes what is coir's own: to the program there is nothing of that number.
#include <coir/posix.hpp>

#include "base/own_descriptor.hpp"
#include "base/system_calls.hpp"
#include "reactor/wait_io.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

namespace coir::detail {

namespace {

// Whether dup2 would close `new_fd`.
bool replaces(int old_fd, int new_fd) noexcept {
    const int before = errno;
    const bool is_open = sys.fcntl(old_fd, F_GETFD, 0) >= 0;
    errno = before;
    return is_open && old_fd != new_fd;
}

// Whether the number is one of coir's own; then the call fails.
bool refuses(int fd) noexcept {
    if (!own_descriptor::has(fd)) {
        return false;
    }
    errno = EBADF;
    return true;
}

#ifdef __linux__
// The descriptors that there are, from /proc: false if that cannot be read.
template <class Visit>
bool for_each_descriptor(Visit visit) noexcept {
    DIR* const folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) {
        return false;
    }
    while (const dirent* const entry = ::readdir(folder)) {
        unsigned int fd = 0;
        const char* const end = entry->d_name + std::strlen(entry->d_name);
        if (std::from_chars(entry->d_name, end, fd).ec == std::errc() &&
            static_cast<int>(fd) != ::dirfd(folder)) {
            visit(fd);
        }
    }
    ::closedir(folder);
    return true;
}

// One by one, so that each of them is told of.
void close_each(unsigned int first, unsigned int last) noexcept {
    const auto close_if_meant = [&](unsigned int fd) {
        if (first <= fd && fd <= last && !own_descriptor::has(static_cast<int>(fd))) {
            io_close(static_cast<int>(fd));
        }
    };
    constexpr unsigned int few = 64;
    if (last - first >= few && for_each_descriptor(close_if_meant)) {
        return;
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= last) {
        last = static_cast<unsigned int>(std::max<rlim_t>(limit.rlim_cur, 1) - 1);
    }
    for (unsigned int fd = first; fd <= last; ++fd) {
        close_if_meant(fd);
    }
}
#endif

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

int close(int fd) noexcept {
    if (detail::refuses(fd)) {
        return -1;
    }
    return detail::io_close(fd);
}

int dup2(int old_fd, int new_fd) noexcept {
    if (detail::refuses(new_fd)) {
        return -1;
    }
    const detail::io_closing closing(detail::replaces(old_fd, new_fd) ? new_fd : -1);
    return detail::sys.dup2(old_fd, new_fd);
}

#ifdef __linux__
int dup3(int old_fd, int new_fd, int flags) noexcept {
    if (detail::refuses(new_fd)) {
        return -1;
    }
    const detail::io_closing closing(detail::replaces(old_fd, new_fd) ? new_fd : -1);
    return detail::sys.dup3(old_fd, new_fd, flags);
}
#endif

#ifdef __linux__
int close_range(unsigned int first, unsigned int last, int flags) noexcept {
    if (flags != 0 || first > last || !detail::own_descriptor::any()) {
        return detail::sys.close_range(first, last, flags);
    }
    const int before = errno;
    detail::close_each(first, last);
    errno = before;
    return 0;
}

void closefrom(int first) noexcept {
    posix::close_range(static_cast<unsigned int>(std::max(first, 0)), ~0U, 0);
}
#endif

}  // namespace coir::posix
