// SPDX-License-Identifier: BSL-1.0
// epoll_wait and its like, on an epoll descriptor of the program's own: it is itself one to wait
// for.
#include <coir/posix.hpp>

#ifdef __linux__

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_poll.hpp"
#include "net/posix_timespec.hpp"

#include <sys/epoll.h>

namespace coir::detail {

namespace {

int wait_for_events(int epoll_fd, epoll_event* events, int capacity, deadline until,
                    const sigset_t* mask) noexcept {
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    bool waited = false;
    signal_watch watch;
    for (;;) {
        // Read before the look, which then is no earlier than the deadline.
        const bool last = until.has_passed();
        const int found = sys.epoll_wait(epoll_fd, events, capacity, 0);
        if (found != 0 || (last && mask == nullptr)) {
            return call.end(found, waited);
        }
        pollfd polled{epoll_fd, POLLIN, 0};
        if (poll_until(&polled, 1, until, mask, waited, watch) < 0) {
            return call.end(-1, waited);
        }
        if (last) {  // the signals that the mask lets in have been let in
            return call.end(0, waited);
        }
    }
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

int epoll_pwait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms,
                const sigset_t* mask) noexcept {
    if (posix_call::is_for_libc()) {
        return ::epoll_pwait(epoll_fd, events, capacity, timeout_ms, mask);
    }
    const deadline until =
        timeout_ms < 0 ? deadline::never() : deadline::after(std::chrono::milliseconds(timeout_ms));
    return detail::wait_for_events(epoll_fd, events, capacity, until, mask);
}

int epoll_wait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms) noexcept {
    return posix::epoll_pwait(epoll_fd, events, capacity, timeout_ms, nullptr);
}

int epoll_pwait2(int epoll_fd, epoll_event* events, int capacity, const timespec* timeout,
                 const sigset_t* mask) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.epoll_pwait2(epoll_fd, events, capacity, timeout, mask);
    }
    if (timeout != nullptr && !detail::is_valid(*timeout)) {
        errno = EINVAL;
        return -1;
    }
    const deadline until =
        timeout != nullptr ? detail::deadline_after(*timeout) : deadline::never();
    return detail::wait_for_events(epoll_fd, events, capacity, until, mask);
}

}  // namespace coir::posix

#endif
