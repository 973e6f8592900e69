// SPDX-License-Identifier: BSL-1.0
// poll, select and epoll_wait.
#include "hook/interpose.hpp"

#include <coir/posix.hpp>

using namespace coir::hook::detail;
namespace posix = coir::posix;

COIR_HOOK int poll(pollfd* fds, nfds_t count, int timeout_ms) {
    return takes_call() ? posix::poll(fds, count, timeout_ms)
                        : COIR_ORIGINAL(poll)(fds, count, timeout_ms);
}

COIR_HOOK int ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    return takes_call() ? posix::ppoll(fds, count, timeout, mask)
                        : COIR_ORIGINAL(ppoll)(fds, count, timeout, mask);
}

COIR_HOOK int select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
    return takes_call() ? posix::select(count, read, write, except, timeout)
                        : COIR_ORIGINAL(select)(count, read, write, except, timeout);
}

COIR_HOOK int pselect(int count, fd_set* read, fd_set* write, fd_set* except,
                      const timespec* timeout, const sigset_t* mask) {
    return takes_call() ? posix::pselect(count, read, write, except, timeout, mask)
                        : COIR_ORIGINAL(pselect)(count, read, write, except, timeout, mask);
}

COIR_HOOK int epoll_wait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms) {
    return takes_call() ? posix::epoll_wait(epoll_fd, events, capacity, timeout_ms)
                        : COIR_ORIGINAL(epoll_wait)(epoll_fd, events, capacity, timeout_ms);
}

COIR_HOOK int epoll_pwait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms,
                          const sigset_t* mask) {
    return takes_call() ? posix::epoll_pwait(epoll_fd, events, capacity, timeout_ms, mask)
                        : COIR_ORIGINAL(epoll_pwait)(epoll_fd, events, capacity, timeout_ms, mask);
}

COIR_HOOK int epoll_pwait2(int epoll_fd, epoll_event* events, int capacity, const timespec* timeout,
                           const sigset_t* mask) {
    return takes_call() ? posix::epoll_pwait2(epoll_fd, events, capacity, timeout, mask)
                        : COIR_ORIGINAL(epoll_pwait2)(epoll_fd, events, capacity, timeout, mask);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("poll")]] int __poll(pollfd* fds, nfds_t count, int timeout_ms);
COIR_HOOK [[gnu::alias("select")]] int __select(int count, fd_set* read, fd_set* write,
                                                fd_set* except, timeval* timeout);

// What _FORTIFY_SOURCE makes of them. libc's own ends the program where the array is too small.
COIR_HOOK int __poll_chk(pollfd* fds, nfds_t count, int timeout_ms, std::size_t capacity) {
    return capacity / sizeof *fds < count
               ? COIR_ORIGINAL(__poll_chk)(fds, count, timeout_ms, capacity)
               : ::poll(fds, count, timeout_ms);
}

COIR_HOOK int __ppoll_chk(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask,
                          std::size_t capacity) {
    return capacity / sizeof *fds < count
               ? COIR_ORIGINAL(__ppoll_chk)(fds, count, timeout, mask, capacity)
               : ::ppoll(fds, count, timeout, mask);
}
