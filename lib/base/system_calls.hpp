// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <cstddef>
#include <string_view>

struct addrinfo;
struct iovec;
struct rusage;
struct epoll_event;
struct io_uring_params;

namespace coir::detail {

// Every system call that coir makes, as a pointer. Each member is named after, called like, and
// fails like the function of libc: the result is -1 and the reason is in errno (getaddrinfo returns
// its own code).
//
// The table exists for two reasons. A test can make any call fail, fall short or be counted
// (test/support/system_calls.hpp). And a program into which the hook layer is linked has libc's
// names interposed: that layer stores the originals here (coir/detail/interposition.hpp), so that
// coir never calls its own hooks.
//
// It is written before the first carrier starts and, by tests, while only one thread runs; so reads
// need no ordering.
//
// The members above the line for Linux are POSIX.1-2024, which took in accept4, pipe2 and ppoll.
// This header names most structures without defining them: who fills in an epoll_event includes
// <sys/epoll.h> himself.
struct system_calls {
    ssize_t (*read)(int fd, void* data, std::size_t size);
    ssize_t (*write)(int fd, const void* data, std::size_t size);
    ssize_t (*readv)(int fd, const iovec* parts, int count);
    ssize_t (*writev)(int fd, const iovec* parts, int count);

    ssize_t (*recv)(int fd, void* data, std::size_t size, int flags);
    ssize_t (*recvfrom)(int fd, void* data, std::size_t size, int flags, sockaddr* from,
                        socklen_t* from_size);
    ssize_t (*recvmsg)(int fd, msghdr* message, int flags);
    ssize_t (*send)(int fd, const void* data, std::size_t size, int flags);
    ssize_t (*sendto)(int fd, const void* data, std::size_t size, int flags, const sockaddr* to,
                      socklen_t to_size);
    ssize_t (*sendmsg)(int fd, const msghdr* message, int flags);

    int (*socket)(int domain, int type, int protocol);
    int (*socketpair)(int domain, int type, int protocol, int fds[2]);
    int (*connect)(int fd, const sockaddr* to, socklen_t to_size);
    int (*accept4)(int fd, sockaddr* from, socklen_t* from_size, int flags);
    int (*bind)(int fd, const sockaddr* to, socklen_t to_size);
    int (*listen)(int fd, int backlog);
    int (*shutdown)(int fd, int how);
    int (*getsockname)(int fd, sockaddr* name, socklen_t* name_size);
    int (*getpeername)(int fd, sockaddr* name, socklen_t* name_size);
    int (*getsockopt)(int fd, int level, int name, void* value, socklen_t* value_size);
    int (*setsockopt)(int fd, int level, int name, const void* value, socklen_t value_size);

    int (*close)(int fd);
    int (*dup2)(int old_fd, int new_fd);
    int (*fcntl)(int fd, int command, ...);
    int (*flock)(int fd, int operation);
    int (*lockf)(int fd, int command, off_t size);
    int (*pipe2)(int fds[2], int flags);
    int (*poll)(pollfd* fds, nfds_t count, int timeout_ms);
    int (*ppoll)(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask);

    void* (*mmap)(void* hint, std::size_t size, int protection, int flags, int fd, off_t offset);
    int (*munmap)(void* start, std::size_t size);
    int (*mprotect)(void* start, std::size_t size, int protection);
    int (*madvise)(void* start, std::size_t size, int advice);

    int (*nanosleep)(const timespec* duration, timespec* left);
    int (*sched_yield)();
    int (*clock_nanosleep)(clockid_t clock, int flags, const timespec* request, timespec* left);

    pid_t (*waitpid)(pid_t which, int* status, int options);
    int (*waitid)(idtype_t type, id_t which, siginfo_t* info, int options);
    int (*system)(const char* command);
    FILE* (*popen)(const char* command, const char* mode);
    int (*pclose)(FILE* stream);

    int (*getaddrinfo)(const char* host, const char* service, const addrinfo* hints,
                       addrinfo** result);
    void (*freeaddrinfo)(addrinfo* list);
    int (*getnameinfo)(const sockaddr* address, socklen_t address_size, char* host,
                       socklen_t host_size, char* service, socklen_t service_size, int flags);

#ifdef __linux__
    int (*dup3)(int old_fd, int new_fd, int flags);
    int (*epoll_create1)(int flags);
    int (*epoll_ctl)(int epoll_fd, int operation, int fd, epoll_event* event);
    int (*epoll_wait)(int epoll_fd, epoll_event* events, int capacity, int timeout_ms);
    // Linux 5.11; ENOSYS before.
    int (*epoll_pwait2)(int epoll_fd, epoll_event* events, int capacity, const timespec* timeout,
                        const sigset_t* mask);
    int (*eventfd)(unsigned int initial, int flags);
    int (*sched_getaffinity)(pid_t thread, std::size_t mask_size, cpu_set_t* mask);
    // libc has no names for these. Linux 5.1; EPERM where a sandbox or an administrator says so.
    int (*io_uring_setup)(unsigned int entries, io_uring_params* params);
    int (*io_uring_enter)(int ring_fd, unsigned int to_submit, unsigned int least,
                          unsigned int flags, void* argument, std::size_t argument_size);

    // Offset -1 is the file position, as for readv; EOPNOTSUPP where the file knows no RWF_NOWAIT.
    ssize_t (*preadv2)(int fd, const iovec* parts, int count, off_t offset, int flags);
    ssize_t (*pwritev2)(int fd, const iovec* parts, int count, off_t offset, int flags);

    ssize_t (*sendfile)(int out, int in, off_t* offset, std::size_t count);
    ssize_t (*splice)(int in, off64_t* in_offset, int out, off64_t* out_offset, std::size_t count,
                      unsigned int flags);

    pid_t (*wait4)(pid_t which, int* status, int options, rusage* usage);
    int (*close_range)(unsigned int first, unsigned int last, int flags);  // Linux 5.9
    int (*pidfd_open)(pid_t process, unsigned int flags);                  // Linux 5.3
    ssize_t (*process_madvise)(int process_fd, const iovec* parts, std::size_t count, int advice,
                               unsigned int flags);  // Linux 5.10; on the own process since 5.13
#endif
};

extern system_calls sys;

#ifdef __linux__
// Writes a sentence to stderr and ends the process, for who has found that there are no such calls.
// It asks the kernel, and nothing of libc need be set up.
[[noreturn]] COIR_API void end_without_libc(std::string_view reason) noexcept;
#endif

}  // namespace coir::detail
