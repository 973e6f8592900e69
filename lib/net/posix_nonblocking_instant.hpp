// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/system_calls.hpp"

#include <fcntl.h>
#include <cerrno>

namespace coir::detail {

// O_NONBLOCK for one system call, and back: for the few that have no MSG_DONTWAIT of their own. The
// program must not be able to see it, so there is never a switch of fibers while one of these
// lives. Other threads and processes that share the open file description can see it for that
// instant; to keep the flag for longer, as other libraries do, is what breaks programs that inherit
// it.
class nonblocking_instant {
public:
    // `flags`: what F_GETFL has said, without O_NONBLOCK.
    nonblocking_instant(int fd, int flags) noexcept : fd_(fd), flags_(flags) {
        sys.fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
    }
    nonblocking_instant(const nonblocking_instant&) = delete;
    nonblocking_instant& operator=(const nonblocking_instant&) = delete;
    ~nonblocking_instant() {
        const int outcome = errno;
        sys.fcntl(fd_, F_SETFL, flags_);
        errno = outcome;
    }

private:
    const int fd_;
    const int flags_;
};

}  // namespace coir::detail
