// SPDX-License-Identifier: BSL-1.0
#include "hook/fifo.hpp"

#include "hook/interpose.hpp"
#include "net/posix_call.hpp"
#include "net/posix_paced_wait.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <coir/posix.hpp>
#include <utility>

namespace coir::hook::detail {

namespace {

using coir::detail::paced_wait;
using coir::detail::posix_call;

int open_now(int folder, const char* name, int flags, mode_t mode) noexcept {
    return COIR_ORIGINAL(openat)(folder, name, flags | O_NONBLOCK, mode);
}

bool is_fifo(const struct stat& status) noexcept { return S_ISFIFO(status.st_mode); }

bool is_fifo(int fd) noexcept {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && is_fifo(status);
}

// Whether there is a writer of a FIFO, or has been one since the descriptor was opened for reading.
// What is there, and an end that has gone, poll(2) tells of. Of a writer that has done nothing yet
// tee(2) does: with one it would wait, and without one that is the end of the file.
bool has_writer(int fd) noexcept {
    pollfd one{fd, POLLIN, 0};
    if (COIR_ORIGINAL(poll)(&one, 1, 0) > 0) {
        return true;
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    const fifo_end from(ends[0]);
    const fifo_end into(ends[1]);
    const ssize_t taken = COIR_ORIGINAL(tee)(fd, into.get(), 1, SPLICE_F_NONBLOCK);
    return taken > 0 || (taken < 0 && errno == EAGAIN);
}

bool await_writer(int fd, paced_wait& wait) noexcept {
    while (!has_writer(fd)) {
        if (!wait.for_a_moment()) {
            wait.fail();
            return false;
        }
    }
    return true;
}

// -1: errno tells why not.
int open_beside_reader(int folder, const char* name, int flags, mode_t mode,
                       paced_wait& wait) noexcept {
    int fd = open_now(folder, name, flags, mode);
    while (fd < 0 && errno == ENXIO) {
        fd = wait.for_a_moment() ? open_now(folder, name, flags, mode) : wait.fail();
    }
    return fd;
}

int open_opposite(const char* name, int flags) noexcept {
    const int before = errno;
    const int opposite = (flags & O_ACCMODE) == O_RDONLY ? O_WRONLY : O_RDONLY;
    const int fd = open_now(AT_FDCWD, name, opposite | O_CLOEXEC, 0);
    errno = before;
    return fd;
}

// As the caller has asked for it.
bool make_blocking(int fd) noexcept {
    const int flags = COIR_ORIGINAL(fcntl)(fd, F_GETFL, 0);
    return flags >= 0 && COIR_ORIGINAL(fcntl)(fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

}  // namespace

void fifo_end::drop() noexcept {
    if (fd_ >= 0) {
        const int before = errno;
        COIR_ORIGINAL(close)(std::exchange(fd_, -1));
        errno = before;
    }
}

bool is_fifo_to_wait_for(int folder, const char* name, int flags) noexcept {
    // Linux waits for nobody if it is opened for both, and does not open what O_EXCL is to make.
    constexpr int others = O_NONBLOCK | O_PATH | O_DIRECTORY;
    if ((flags & O_ACCMODE) == O_RDWR || (flags & others) != 0 ||
        (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        return false;
    }
    const int before = errno;
    struct stat status {};
    const int how = (flags & O_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
    const bool result = ::fstatat(folder, name, &status, how) == 0 && is_fifo(status);
    errno = before;
    return result;
}

int open_fifo(int folder, const char* name, int flags, mode_t mode) noexcept {
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    paced_wait wait({"the other end of a FIFO", -1, true});
    fifo_end fd(open_beside_reader(folder, name, flags, mode, wait));
    const bool is_reader = fd && (flags & O_ACCMODE) == O_RDONLY && is_fifo(fd.get());
    if (!fd || (is_reader && !await_writer(fd.get(), wait)) || !make_blocking(fd.get())) {
        fd.drop();
    }
    return call.end(fd.release(), wait.waited());
}

// If the other one has gone by now, libc would wait for the next. Where we may not be that one,
// there is no help for it.
held_fifo::held_fifo(const char* name, int flags) noexcept
    : mine_(open_fifo(AT_FDCWD, name, flags | O_CLOEXEC, 0)),
      other_(mine_ ? open_opposite(name, flags) : -1) {}

int flags_of_mode(const char* mode) noexcept {
    int flags = *mode == 'r' ? O_RDONLY : O_WRONLY | O_CREAT;
    for (; *mode != '\0' && *mode != ','; ++mode) {
        if (*mode == '+') {
            flags = (flags & ~O_ACCMODE) | O_RDWR;
        } else if (*mode == 'x') {
            flags |= O_EXCL;
        }
    }
    return flags;
}

}  // namespace coir::hook::detail
