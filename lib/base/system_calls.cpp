// SPDX-License-Identifier: BSL-1.0
#include "base/system_calls.hpp"

#include "base/sanitizers.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#endif

namespace coir::detail {

namespace {

#ifdef __linux__

// The calls that follow are younger than the oldest libc that coir supports, so they go around it.
// A kernel that lacks one answers ENOSYS, and so do we where even the kernel's headers lack it.

int raw_epoll_pwait2([[maybe_unused]] int epoll_fd, [[maybe_unused]] epoll_event* events,
                     [[maybe_unused]] int capacity, [[maybe_unused]] const timespec* timeout,
                     [[maybe_unused]] const sigset_t* mask) {
// The kernel's timespec is the 64-bit one, whatever the program's is.
//
// ThreadSanitizer keeps signals back until a thread makes a call that it knows to block, which this
// is not. A program's handler would run only when its carrier next has something to do.
#if defined(SYS_epoll_pwait2) && !defined(COIR_THREAD_SANITIZER)
    if constexpr (sizeof(timespec) == 2 * sizeof(long long)) {
        constexpr std::size_t kernel_sigset_bytes = _NSIG / 8;
        return static_cast<int>(::syscall(SYS_epoll_pwait2, epoll_fd, events, capacity, timeout,
                                          mask, kernel_sigset_bytes));
    }
#endif
    errno = ENOSYS;
    return -1;
}

#ifdef COIR_THREAD_SANITIZER
// To ThreadSanitizer a call with a number that another thread closes is a race. A reactor makes
// such calls, and is right to (reactor/descriptor_records.hpp); so it must not see them.
int unseen_epoll_ctl(int epoll_fd, int operation, int fd, epoll_event* event) {
    return static_cast<int>(::syscall(SYS_epoll_ctl, epoll_fd, operation, fd, event));
}
#endif

int raw_close_range([[maybe_unused]] unsigned int first, [[maybe_unused]] unsigned int last,
                    [[maybe_unused]] int flags) {
#ifdef SYS_close_range
    return static_cast<int>(::syscall(SYS_close_range, first, last, flags));
#else
    errno = ENOSYS;
    return -1;
#endif
}

int raw_pidfd_open([[maybe_unused]] pid_t process, [[maybe_unused]] unsigned int flags) {
#ifdef SYS_pidfd_open
    return static_cast<int>(::syscall(SYS_pidfd_open, process, flags));
#else
    errno = ENOSYS;
    return -1;
#endif
}

ssize_t raw_process_madvise([[maybe_unused]] int process_fd, [[maybe_unused]] const iovec* parts,
                            [[maybe_unused]] std::size_t count, [[maybe_unused]] int advice,
                            [[maybe_unused]] unsigned int flags) {
#ifdef SYS_process_madvise
    return ::syscall(SYS_process_madvise, process_fd, parts, count, advice, flags);
#else
    errno = ENOSYS;
    return -1;
#endif
}

#endif

}  // namespace

// Initialised before any code runs, so that constructors of static objects may already use it.
constinit system_calls sys = {
    .read = ::read,
    .write = ::write,
    .readv = ::readv,
    .writev = ::writev,

    .recv = ::recv,
    .recvfrom = ::recvfrom,
    .recvmsg = ::recvmsg,
    .send = ::send,
    .sendto = ::sendto,
    .sendmsg = ::sendmsg,

    .socket = ::socket,
    .socketpair = ::socketpair,
    .connect = ::connect,
    .accept4 = ::accept4,
    .bind = ::bind,
    .listen = ::listen,
    .shutdown = ::shutdown,
    .getsockname = ::getsockname,
    .getpeername = ::getpeername,
    .getsockopt = ::getsockopt,
    .setsockopt = ::setsockopt,

    .close = ::close,
    .dup2 = ::dup2,
    .fcntl = ::fcntl,
    .flock = ::flock,
    .lockf = ::lockf,
    .pipe2 = ::pipe2,
    .poll = ::poll,
    .ppoll = ::ppoll,

    .mmap = ::mmap,
    .munmap = ::munmap,
    .mprotect = ::mprotect,
    .madvise = ::madvise,

    .nanosleep = ::nanosleep,
    .sched_yield = ::sched_yield,
    .clock_nanosleep = ::clock_nanosleep,

    .waitpid = ::waitpid,
    .waitid = ::waitid,
    .system = ::system,
    .popen = ::popen,
    .pclose = ::pclose,

    .getaddrinfo = ::getaddrinfo,
    .freeaddrinfo = ::freeaddrinfo,
    .getnameinfo = ::getnameinfo,

#ifdef __linux__
    .dup3 = ::dup3,
    .epoll_create1 = ::epoll_create1,
#ifdef COIR_THREAD_SANITIZER
    .epoll_ctl = unseen_epoll_ctl,
#else
    .epoll_ctl = ::epoll_ctl,
#endif
    .epoll_wait = ::epoll_wait,
    .epoll_pwait2 = raw_epoll_pwait2,
    .eventfd = ::eventfd,

    .preadv2 = ::preadv2,
    .pwritev2 = ::pwritev2,

    .sendfile = ::sendfile,
    .splice = ::splice,

    .wait4 = ::wait4,
    .close_range = raw_close_range,
    .pidfd_open = raw_pidfd_open,
    .process_madvise = raw_process_madvise,
#endif
};

#ifdef __linux__
void end_without_libc(std::string_view reason) noexcept {
    ::syscall(SYS_write, STDERR_FILENO, reason.data(), reason.size());
    for (;;) {
        ::syscall(SYS_exit_group, 127);
    }
}
#endif

}  // namespace coir::detail
