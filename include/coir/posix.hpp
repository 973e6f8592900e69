// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/resource.h>
#endif

#include <cstddef>

struct __res_state;  // of <resolv.h>

/// @brief libc's calls for sleeping, sockets, pipes, poll, select and names: same names,
/// signatures, results and `errno`, but a fiber that has to wait parks, and the thread goes on
/// with others.
///
/// To port a blocking program is to change a namespace: `recv(...)` becomes
/// `coir::posix::recv(...)`. The descriptors are the program's own, blocking or not, and stay
/// as they are: nothing is registered, remembered or set behind the program's back, so `fcntl`,
/// `dup`, descriptors that are inherited or handed over, and plain libc calls on them all keep
/// working. For new code, coir::net is shorter. Write the namespace at each call: a
/// using-directive leaves a name ambiguous, since libc's own are found as well.
///
/// | calls | what parks the fiber |
/// |---|---|
/// | sleep usleep nanosleep clock_nanosleep | the whole sleep |
/// | read readv recv recvfrom recvmsg recvmmsg | until something arrives (`MSG_WAITALL`: all) |
/// | write writev send sendto sendmsg sendmmsg | until the kernel has taken all of it |
/// | sendfile splice | until the kernel has taken all of it; until something moves |
/// | connect | until the connection is made or refused |
/// | accept accept4 | until somebody connects |
/// | poll ppoll select pselect | until a descriptor is ready |
/// | epoll_wait epoll_pwait epoll_pwait2 | until the program's epoll descriptor has an event |
/// | getaddrinfo getnameinfo gethostbyname getservbyname ... | the call, on the blocking pool |
/// | getpwnam getpwuid getgrnam getgrgid getpwnam_r res_query ... | the call, on the blocking pool
/// | | wait wait3 wait4 waitpid waitid | until a child has ended, or what was asked for | | system
/// popen pclose | the call, on the blocking pool | | flock lockf, and fcntl for a lock | until the
/// lock is free | | close dup2 dup3 close_range closefrom | nothing; other fibers' waits for the
/// descriptor end with `EBADF` | | socket bind listen setsockopt pipe ... | nothing: libc's own,
/// re-exported |
///
/// Where the kernel would not block a thread, no fiber parks: `O_NONBLOCK` and `MSG_DONTWAIT`
/// give `EAGAIN`, a connect of a non-blocking socket gives `EINPROGRESS`; `SO_RCVTIMEO` and
/// `SO_SNDTIMEO` end a call in time. What differs from libc:
///
/// - Files on disk are read and written on the spot, as they have no readiness: the thread
///   waits for the disk. So it does in a `close` with `SO_LINGER`.
/// - A file lock that is taken is tried for again after 1, 2, 4 .. 16 ms: others may come first,
/// and
///   the kernel does not see who waits, so it tells of no deadlock (`EDEADLK`).
/// - Sending to a socket whose peer is gone fails with `EPIPE` and does not raise SIGPIPE; nor
///   does a fiber's write. Writing to a pipe that nobody reads does both, as in libc, and so do
///   sendfile and splice to a socket.
/// - A signal does not end a wait: it goes on, as if every handler were installed with
///   `SA_RESTART`. But where @ref coir::hook is linked it knows of the handlers, and a call ends
///   with `EINTR` as in libc.
/// - `SO_RCVLOWAT` counts while a call waits; what is there at once is returned even if it is
///   less.
/// - A terminal is written to in small pieces, and blocks the thread if it takes only part of
///   one.
/// - connect and accept make a blocking descriptor non-blocking for the instant of the system
///   call; another process that shares it and calls just then may see `EAGAIN`.
///
/// @suspends As the table says. A call that need not wait does not switch, but a fiber that
/// makes many of them in a row lets others run.
/// @threadsafety As libc's. close, dup2 and dup3 end the waits of all fibers with `EBADF`,
/// whichever thread they are on, also those that begin meanwhile; not the wait of a plain thread,
/// and a close that is not coir's ends none: such a waiter stays with the number, and once that is
/// another file's its call may go on with that one. Shut a socket down before you close it under a
/// waiter.
/// @errors libc's, in `errno`, which a call that succeeds leaves as it was; and those of the
/// next paragraph. `ENOMEM` or `ENOSPC` where the kernel could not take in what to wait for. No
/// call throws.
/// @cancellation Every call of the table but close, dup2 and dup3 fails with `ECANCELED` in a
/// cancelled scope, or with `ETIMEDOUT` if the scope's deadline was the cause, whether or not
/// it had to wait. A transfer that was interrupted half-way returns how far it came, and the
/// next call fails. C frames in between are never unwound: they see a failed call, and
/// with_timeout() throws when they have returned.
/// @lifetime Buffers must live until the call returns, no longer: no call leaves anything
/// behind but a name look-up that was cancelled, which works on copies.
/// @example `samples/07_in_legacy_code`
namespace coir::posix {

/// @name Sleeping
/// Never shorter than asked for. On CPU-time clocks clock_nanosleep blocks the thread.
/// @{

/// Sleeps; @returns 0, or if it was cancelled the seconds that are left, rounded up.
COIR_API unsigned int sleep(unsigned int seconds) noexcept;
/// Sleeps for microseconds.
COIR_API int usleep(useconds_t microseconds) noexcept;
/// Sleeps; what is left after a cancellation is put into `left`, unless null.
COIR_API int nanosleep(const timespec* duration, timespec* left) noexcept;
/// Sleeps for a time or, with `TIMER_ABSTIME`, until one. @returns the error itself.
COIR_API int clock_nanosleep(clockid_t clock, int flags, const timespec* request,
                             timespec* left) noexcept;
/// @}

/// @name Reading and writing descriptors of any kind
/// @{

/// As read(2).
COIR_API ssize_t read(int fd, void* data, std::size_t size) noexcept;
/// As readv(2).
COIR_API ssize_t readv(int fd, const iovec* parts, int count) noexcept;
/// As write(2). To a blocking descriptor it writes all, unless an error comes after a part.
COIR_API ssize_t write(int fd, const void* data, std::size_t size) noexcept;
/// As writev(2), with the same promise.
COIR_API ssize_t writev(int fd, const iovec* parts, int count) noexcept;
#ifdef __linux__
/// As sendfile(2). To a blocking descriptor it sends all, unless an error comes after a part.
COIR_API ssize_t sendfile(int out, int in, off_t* offset, std::size_t count) noexcept;
/// As splice(2).
COIR_API ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset, std::size_t count,
                        unsigned int flags) noexcept;
#endif
/// @}

/// @name Receiving and sending on sockets
/// @{

/// As recv(2).
COIR_API ssize_t recv(int fd, void* data, std::size_t size, int flags) noexcept;
/// As recvfrom(2).
COIR_API ssize_t recvfrom(int fd, void* data, std::size_t size, int flags, sockaddr* from,
                          socklen_t* from_size) noexcept;
/// As recvmsg(2).
COIR_API ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept;
/// As send(2). On a blocking stream it sends all, unless an error or `SO_SNDTIMEO` comes after
/// a part.
COIR_API ssize_t send(int fd, const void* data, std::size_t size, int flags) noexcept;
/// As sendto(2).
COIR_API ssize_t sendto(int fd, const void* data, std::size_t size, int flags, const sockaddr* to,
                        socklen_t to_size) noexcept;
/// As sendmsg(2).
COIR_API ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept;
#ifdef __linux__
/// As recvmmsg(2): the timeout is looked at after each message only.
COIR_API int recvmmsg(int fd, mmsghdr* messages, unsigned int count, int flags,
                      timespec* timeout) noexcept;
/// As sendmmsg(2).
COIR_API int sendmmsg(int fd, mmsghdr* messages, unsigned int count, int flags) noexcept;
#endif
/// @}

/// @name Connections
/// @{

/// As connect(2). `SO_SNDTIMEO` ends it with `EINPROGRESS` (Unix sockets: `EAGAIN`). After that
/// and after a cancellation the attempt goes on in the kernel.
COIR_API int connect(int fd, const sockaddr* to, socklen_t to_size) noexcept;
/// As accept(2).
COIR_API int accept(int fd, sockaddr* from, socklen_t* from_size) noexcept;
/// As accept4(2).
COIR_API int accept4(int fd, sockaddr* from, socklen_t* from_size, int flags) noexcept;
/// @}

/// @name The end of a descriptor
/// Close descriptors that fibers may wait for with these: libc's close does not wake the
/// waiters. To them coir's own descriptors are none: closing one is `EBADF`, and a range leaves it
/// out. close_range() with flags is libc's own.
/// @{

/// As close(2).
COIR_API int close(int fd) noexcept;
/// As dup2(2); it closes what `new_fd` was.
COIR_API int dup2(int old_fd, int new_fd) noexcept;
#ifdef __linux__
/// As dup3(2); it closes what `new_fd` was.
COIR_API int dup3(int old_fd, int new_fd, int flags) noexcept;
/// As close_range(2).
COIR_API int close_range(unsigned int first, unsigned int last, int flags) noexcept;
/// As closefrom(3).
COIR_API void closefrom(int first) noexcept;
#endif
/// @}

/// @name Waiting for several descriptors
/// Times are rounded up. Events that readiness for reading and writing does not tell of
/// (`POLLPRI`, `POLLRDHUP` or a hang-up alone) may be seen up to 16 ms late.
///
/// A signal mask belongs to the thread, and other fibers run on it meanwhile. So in a fiber the
/// mask of ppoll and pselect counts whenever the kernel is asked: at the start, when a
/// descriptor is ready, and every 16 ms. A signal that it lets in ends the call with `EINTR`,
/// up to 16 ms late. One that it alone shuts out may be handled all the same while the fiber is
/// parked.
/// @{

/// As poll(2).
COIR_API int poll(pollfd* fds, nfds_t count, int timeout_ms) noexcept;
/// As ppoll(2).
COIR_API int ppoll(pollfd* fds, nfds_t count, const timespec* timeout,
                   const sigset_t* mask) noexcept;
/// As Linux's select(2): `timeout` is set to what is left. In a fiber `EINVAL` where `count` is
/// more than `FD_SETSIZE`.
COIR_API int select(int count, fd_set* read, fd_set* write, fd_set* except,
                    timeval* timeout) noexcept;
/// As pselect(2): `timeout` stays as it is.
COIR_API int pselect(int count, fd_set* read, fd_set* write, fd_set* except,
                     const timespec* timeout, const sigset_t* mask) noexcept;
#ifdef __linux__
/// As epoll_wait(2).
COIR_API int epoll_wait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms) noexcept;
/// As epoll_pwait(2); `mask` as for ppoll.
COIR_API int epoll_pwait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms,
                         const sigset_t* mask) noexcept;
/// As epoll_pwait2(2), which is Linux 5.11's: on a plain thread `ENOSYS` before.
COIR_API int epoll_pwait2(int epoll_fd, epoll_event* events, int capacity, const timespec* timeout,
                          const sigset_t* mask) noexcept;
#endif
/// @}

/// @name File locks
/// To unlock, to look, and whatever does not wait are libc's own, and no cancellation points. Locks
/// that belong to the process (lockf, `F_SETLKW`) keep no fiber of it out, as they keep out no
/// thread.
/// @{

/// As flock(2).
COIR_API int flock(int fd, int operation) noexcept;
/// As lockf(3).
COIR_API int lockf(int fd, int command, off_t size) noexcept;
/// As fcntl(2), in full: `F_SETLKW` and Linux's `F_OFD_SETLKW` are what may wait.
COIR_API int fcntl(int fd, int command, ...) noexcept;
/// @}

/// @name Processes
/// One child's end is noticed at once. Where there may be several (`wait`, a process group), and
/// where a stop counts (`WUNTRACED`, `WCONTINUED`), the kernel is asked again after 1, 2, 4 .. 16
/// ms. A tracer's wait for one child is told of a stop late by at most the time that it took. A
/// cancelled wait has taken no child's status away.
///
/// The child of a fork(2) in a fiber has that fiber alone, which goes on as a plain thread does: no
/// other one runs in it, all calls are libc's own, and where the fiber's function ends the process
/// exits as that of a thread would, with status 0. The parent's fibers notice nothing.
/// @{

/// As wait(2).
COIR_API pid_t wait(int* status) noexcept;
/// As waitpid(2).
COIR_API pid_t waitpid(pid_t which, int* status, int options) noexcept;
/// As waitid(2), `P_PIDFD` included.
COIR_API int waitid(idtype_t type, id_t which, siginfo_t* info, int options) noexcept;
#ifdef __linux__
/// As wait3(2).
COIR_API pid_t wait3(int* status, int options, rusage* usage) noexcept;
/// As wait4(2).
COIR_API pid_t wait4(pid_t which, int* status, int options, rusage* usage) noexcept;
#endif
/// As system(3): meanwhile SIGINT and SIGQUIT are ignored by the process. A handler of SIGCHLD may
/// run in another thread, and must not wait for any child. If it is cancelled, the command goes on,
/// and libc takes its status when it ends.
COIR_API int system(const char* command) noexcept;
/// As popen(3).
COIR_API FILE* popen(const char* command, const char* mode) noexcept;
/// As pclose(3). The stream is closed in any case, though the caller be cancelled before or
/// meanwhile: libc waits for the child when the caller is gone.
COIR_API int pclose(FILE* stream) noexcept;
/// @}

/// @name Names and addresses
/// @{

/// As getaddrinfo(3). A cancellation gives `EAI_SYSTEM` and `errno`. The list is freed with
/// freeaddrinfo.
COIR_API int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                         addrinfo** result) noexcept;
/// As getnameinfo(3). A cancellation gives `EAI_SYSTEM` and `errno`.
COIR_API int getnameinfo(const sockaddr* address, socklen_t address_size, char* host,
                         socklen_t host_size, char* service, socklen_t service_size,
                         int flags) noexcept;
#ifdef __linux__
/// As gethostbyname(3), but each thread has its own result: it stays until a fiber of the
/// thread looks up a host again. A cancellation gives null, `h_errno` is `NETDB_INTERNAL` and
/// `errno` tells.
COIR_API hostent* gethostbyname(const char* name) noexcept;
/// As gethostbyname2(3), with the same result.
COIR_API hostent* gethostbyname2(const char* name, int family) noexcept;
/// As gethostbyaddr(3), with the same result.
COIR_API hostent* gethostbyaddr(const void* address, socklen_t length, int family) noexcept;
/// As gethostbyname_r(3). @returns the error itself.
COIR_API int gethostbyname_r(const char* name, hostent* entry, char* buffer, std::size_t size,
                             hostent** result, int* host_error) noexcept;
/// As gethostbyname2_r(3). @returns the error itself.
COIR_API int gethostbyname2_r(const char* name, int family, hostent* entry, char* buffer,
                              std::size_t size, hostent** result, int* host_error) noexcept;
/// As gethostbyaddr_r(3). @returns the error itself.
COIR_API int gethostbyaddr_r(const void* address, socklen_t length, int family, hostent* entry,
                             char* buffer, std::size_t size, hostent** result,
                             int* host_error) noexcept;
/// As getservbyname(3), but each thread has its own result, as for hosts. A cancellation gives
/// null, and `errno` tells.
COIR_API servent* getservbyname(const char* name, const char* protocol) noexcept;
/// As getservbyport(3), with the same result.
COIR_API servent* getservbyport(int port, const char* protocol) noexcept;
/// As getservbyname_r(3). @returns the error itself.
COIR_API int getservbyname_r(const char* name, const char* protocol, servent* entry, char* buffer,
                             std::size_t size, servent** result) noexcept;
/// As getservbyport_r(3). @returns the error itself.
COIR_API int getservbyport_r(int port, const char* protocol, servent* entry, char* buffer,
                             std::size_t size, servent** result) noexcept;
/// As res_query(3). Servers, options and times are those of the thread's `_res`, if it has been
/// initialised. A cancellation gives -1, `h_errno` is `NETDB_INTERNAL` and `errno` tells.
COIR_API int res_query(const char* name, int net, int type, unsigned char* answer,
                       int capacity) noexcept;
/// As res_search(3), with the same `_res`; the domains to search are those of the system.
COIR_API int res_search(const char* name, int net, int type, unsigned char* answer,
                        int capacity) noexcept;
/// As res_send(3), with the same `_res`.
COIR_API int res_send(const unsigned char* message, int size, unsigned char* answer,
                      int capacity) noexcept;
/// As res_nquery(3). The state is in use until the end, for which a cancelled caller waits; two
/// fibers must not use one at once. The thread's own `_res` is taken as in res_query.
COIR_API int res_nquery(struct __res_state* state, const char* name, int net, int type,
                        unsigned char* answer, int capacity) noexcept;
/// As res_nsearch(3); the state as in res_nquery.
COIR_API int res_nsearch(struct __res_state* state, const char* name, int net, int type,
                         unsigned char* answer, int capacity) noexcept;
/// As res_nsend(3); the state as in res_nquery.
COIR_API int res_nsend(struct __res_state* state, const unsigned char* message, int size,
                       unsigned char* answer, int capacity) noexcept;
#endif
/// As getpwnam(3), but each thread has its own result: it stays until a fiber of the thread looks
/// up a user again. A cancellation gives null, and `errno` tells.
COIR_API passwd* getpwnam(const char* name) noexcept;
/// As getpwuid(3), with the same result.
COIR_API passwd* getpwuid(uid_t user) noexcept;
/// As getgrnam(3), with a result of its own, as for users.
COIR_API group* getgrnam(const char* name) noexcept;
/// As getgrgid(3), with the same result.
COIR_API group* getgrgid(gid_t number) noexcept;
/// As getpwnam_r(3). @returns the error itself.
COIR_API int getpwnam_r(const char* name, passwd* entry, char* buffer, std::size_t size,
                        passwd** result) noexcept;
/// As getpwuid_r(3). @returns the error itself.
COIR_API int getpwuid_r(uid_t user, passwd* entry, char* buffer, std::size_t size,
                        passwd** result) noexcept;
/// As getgrnam_r(3). @returns the error itself.
COIR_API int getgrnam_r(const char* name, group* entry, char* buffer, std::size_t size,
                        group** result) noexcept;
/// As getgrgid_r(3). @returns the error itself.
COIR_API int getgrgid_r(gid_t number, group* entry, char* buffer, std::size_t size,
                        group** result) noexcept;
/// @}

// What never waits, and completes the set.
using ::bind;
using ::dup;
using ::freeaddrinfo;
using ::gai_strerror;
using ::getpeername;
using ::getsockname;
using ::getsockopt;
using ::if_indextoname;
using ::if_nametoindex;
using ::inet_addr;
using ::inet_aton;
using ::inet_ntoa;
using ::inet_ntop;
using ::inet_pton;
using ::ioctl;
using ::isatty;
using ::listen;
using ::lseek;
using ::pipe;
using ::pread;
using ::preadv;
using ::pwrite;
using ::pwritev;
using ::setsockopt;
using ::shutdown;
using ::sockatmark;
using ::socket;
using ::socketpair;
#ifdef __linux__
using ::pipe2;
#endif

}  // namespace coir::posix
