// SPDX-License-Identifier: BSL-1.0
// select, pselect: as poll, with the sets of Linux's select(2) made of its events.
#include <coir/posix.hpp>

#include "net/posix_call.hpp"
#include "net/posix_poll.hpp"
#include "net/posix_scratch.hpp"
#include "net/posix_timespec.hpp"

namespace coir::detail {

namespace {

// Which events put a descriptor into which set, as Linux has it.
constexpr int readable = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
constexpr int writable = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;
constexpr int exceptional = POLLPRI;

struct fd_sets {
    fd_set* read;
    fd_set* write;
    fd_set* except;
};

bool contains(int fd, fd_set* set) noexcept { return set != nullptr && FD_ISSET(fd, set); }

short wanted_events(int fd, const fd_sets& sets) noexcept {
    int events = 0;
    if (contains(fd, sets.read)) {
        events |= POLLIN;
    }
    if (contains(fd, sets.write)) {
        events |= POLLOUT;
    }
    if (contains(fd, sets.except)) {
        events |= POLLPRI;
    }
    return static_cast<short>(events);
}

nfds_t to_polled(int count, const fd_sets& sets, pollfd* polled) noexcept {
    nfds_t used = 0;
    for (int fd = 0; fd < count; ++fd) {
        if (const short events = wanted_events(fd, sets); events != 0) {
            polled[used++] = {fd, events, 0};
        }
    }
    return used;
}

// Keeps in a set what was in it and has happened.
int filter(fd_set* set, const pollfd* polled, nfds_t used, int wanted, int events) noexcept {
    if (set == nullptr) {
        return 0;
    }
    int members = 0;
    for (nfds_t i = 0; i < used; ++i) {
        if ((polled[i].events & wanted) == 0) {
            continue;
        }
        if ((polled[i].revents & events) != 0) {
            ++members;
        } else {
            FD_CLR(polled[i].fd, set);
        }
    }
    return members;
}

// The sets stay as they are where it fails.
int select_until(int count, const fd_sets& sets, deadline until, const sigset_t* mask,
                 bool& waited) noexcept {
    if (count < 0 || count > FD_SETSIZE) {
        errno = EINVAL;
        return -1;
    }
    call_scratch<pollfd, 32> polled(static_cast<std::size_t>(count));
    if (polled.get() == nullptr) {
        errno = ENOMEM;
        return -1;
    }
    const nfds_t used = to_polled(count, sets, polled.get());
    signal_watch watch;
    if (poll_until(polled.get(), used, until, mask, waited, watch) < 0) {
        return -1;
    }
    for (nfds_t i = 0; i < used; ++i) {
        if ((polled.get()[i].revents & POLLNVAL) != 0) {
            errno = EBADF;
            return -1;
        }
    }
    return filter(sets.read, polled.get(), used, POLLIN, readable) +
           filter(sets.write, polled.get(), used, POLLOUT, writable) +
           filter(sets.except, polled.get(), used, POLLPRI, exceptional);
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;

int select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) noexcept {
    if (posix_call::is_for_libc()) {
        return ::select(count, read, write, except, timeout);
    }
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    if (timeout != nullptr && (timeout->tv_sec < 0 || timeout->tv_usec < 0)) {
        errno = EINVAL;
        return -1;
    }
    deadline until = deadline::never();
    if (timeout != nullptr) {
        until = detail::deadline_after(detail::to_timespec(*timeout));
    }
    bool waited = false;
    const int found = detail::select_until(count, {read, write, except}, until, nullptr, waited);
    if (timeout != nullptr && !until.is_never()) {
        const timespec left = detail::to_timespec(until.remaining());
        *timeout = {left.tv_sec, static_cast<suseconds_t>(left.tv_nsec / 1'000)};
    }
    return call.end(found, waited);
}

int pselect(int count, fd_set* read, fd_set* write, fd_set* except, const timespec* timeout,
            const sigset_t* mask) noexcept {
    if (posix_call::is_for_libc()) {
        return ::pselect(count, read, write, except, timeout, mask);
    }
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    if (timeout != nullptr && !detail::is_valid(*timeout)) {
        errno = EINVAL;
        return -1;
    }
    const deadline until =
        timeout != nullptr ? detail::deadline_after(*timeout) : deadline::never();
    bool waited = false;
    const int found = detail::select_until(count, {read, write, except}, until, mask, waited);
    return call.end(found, waited);
}

}  // namespace coir::posix
