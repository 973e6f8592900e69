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
#ifdef COIR_THREAD_SANITIZER
#include <linux/io_uring.h>
#include <linux/time_types.h>
#endif
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

int raw_io_uring_setup([[maybe_unused]] unsigned int entries,
                       [[maybe_unused]] io_uring_params* params) {
#ifdef SYS_io_uring_setup
    return static_cast<int>(::syscall(SYS_io_uring_setup, entries, params));
#else
    errno = ENOSYS;
    return -1;
#endif
}

int raw_io_uring_enter([[maybe_unused]] int ring_fd, [[maybe_unused]] unsigned int to_submit,
                       [[maybe_unused]] unsigned int least, [[maybe_unused]] unsigned int flags,
                       [[maybe_unused]] void* argument,
                       [[maybe_unused]] std::size_t argument_size) {
#ifdef SYS_io_uring_enter
    return static_cast<int>(
        ::syscall(SYS_io_uring_enter, ring_fd, to_submit, least, flags, argument, argument_size));
#else
    errno = ENOSYS;
    return -1;
#endif
}

#ifdef COIR_THREAD_SANITIZER
// As with epoll_pwait2: while a thread waits in a call that ThreadSanitizer does not know, it keeps
// signals from the program. So the wait is one in ppoll(2), and this call only looks.
int enter_and_poll(int ring_fd, unsigned int to_submit, unsigned int least, unsigned int flags,
                   void* argument, std::size_t argument_size) {
    if (least == 0) {
        return raw_io_uring_enter(ring_fd, to_submit, 0, flags, argument, argument_size);
    }
    const int submitted =
        raw_io_uring_enter(ring_fd, to_submit, 0, IORING_ENTER_GETEVENTS, nullptr, 0);
    if (submitted < 0) {
        return submitted;
    }
    const auto& wanted = *static_cast<const io_uring_getevents_arg*>(argument);
    timespec limit{};
    if (wanted.ts != 0) {
        const auto& left = *reinterpret_cast<const __kernel_timespec*>(wanted.ts);
        limit = {static_cast<time_t>(left.tv_sec), static_cast<long>(left.tv_nsec)};
    }
    pollfd ring{ring_fd, POLLIN, 0};
    if (::ppoll(&ring, 1, wanted.ts != 0 ? &limit : nullptr, nullptr) > 0) {
        raw_io_uring_enter(ring_fd, 0, 0, IORING_ENTER_GETEVENTS, nullptr, 0);
    }
    return submitted;
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
    .sched_getaffinity = ::sched_getaffinity,
    .io_uring_setup = raw_io_uring_setup,
#ifdef COIR_THREAD_SANITIZER
    .io_uring_enter = enter_and_poll,
#else
    .io_uring_enter = raw_io_uring_enter,
#endif

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
