// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/system_calls.hpp"

#include <poll.h>
#include <sys/ioctl.h>

namespace coir::detail {

inline int ready_events(int fd, int wanted) noexcept {
    pollfd polled{fd, static_cast<short>(wanted), 0};
    return sys.poll(&polled, 1, 0) > 0 ? polled.revents : 0;
}

// Whether the next receiving call would fail, and nothing can be read before. A call that has moved
// a part stops there: whoever receives an error takes it away, and it is to be the next call's.
inline bool only_an_error_is_left(int fd) noexcept {
    int readable = 0;
    return (ready_events(fd, 0) & POLLERR) != 0 &&
           (::ioctl(fd, FIONREAD, &readable) != 0 || readable == 0);
}

// The same for sending, which fails as soon as there is an error.
inline bool sending_would_fail(int fd) noexcept { return (ready_events(fd, 0) & POLLERR) != 0; }

// Whether the peer has finished sending: what can be read now is all.
inline bool no_more_will_come(int fd) noexcept {
#ifdef POLLRDHUP
    constexpr int peer_finished = POLLRDHUP;
#else
    constexpr int peer_finished = 0;
#endif
    return (ready_events(fd, peer_finished) & (peer_finished | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

}  // namespace coir::detail
