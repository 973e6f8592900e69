// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/system_calls.hpp"

#include <cerrno>
#include <utility>

namespace coir::detail {

// Owns one file descriptor and closes it, through the table of system calls. Empty is -1.
class unique_fd {
public:
    unique_fd() = default;
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~unique_fd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

    // Gives the descriptor up without closing it.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    // Closes what is held and holds fd instead. Keeps errno, because the usual place for this is
    // the path of an error that errno still has to tell. The result of close is of no use: the
    // descriptor is gone after any error, EINTR included, and to try again would close whatever
    // another thread has just opened under this number.
    void reset(int fd = -1) noexcept {
        const int old = std::exchange(fd_, fd);
        if (old >= 0 && old != fd) {
            const int saved_errno = errno;
            sys.close(old);
            errno = saved_errno;
        }
    }

private:
    int fd_ = -1;
};

}  // namespace coir::detail
