// SPDX-License-Identifier: BSL-1.0
#include "net/posix_descriptor_wait.hpp"

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_timespec.hpp"
#include "reactor/wait_io.hpp"

#include <coir/wait_queue.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <algorithm>

namespace coir::detail {

namespace {

// Never, unless it is a socket with a timeout.
deadline socket_timeout(int fd, direction what) noexcept {
    timeval timeout{};
    socklen_t size = sizeof timeout;
    const int option = what == direction::read ? SO_RCVTIMEO : SO_SNDTIMEO;
    if (sys.getsockopt(fd, SOL_SOCKET, option, &timeout, &size) != 0 ||
        (timeout.tv_sec == 0 && timeout.tv_usec == 0)) {
        return deadline::never();
    }
    return deadline_after(to_timespec(timeout));
}

}  // namespace

bool descriptor_wait::over(end why, int error) noexcept {
    end_ = why;
    error_ = error;
    return false;
}

bool descriptor_wait::learn_terms() noexcept {
    if (terms_known_) {
        return true;
    }
    const int flags = sys.fcntl(fd_, F_GETFL, 0);
    if (flags < 0) {
        return over(end::error, errno);
    }
    if ((flags & O_NONBLOCK) != 0) {
        return over(end::would_block);
    }
    const deadline timeout = socket_timeout(fd_, what_);
    if (!timeout.is_never()) {  // signal(7): such a call is not restarted
        signals_ = ended_by::any_handler;
    }
    until_ = std::min(limit_, timeout);
    terms_known_ = true;
    return true;
}

bool descriptor_wait::may_wait() noexcept {
    watch_.begin();
    if (!learn_terms()) {
        return false;
    }
    return !watch_.is_over(signals_) || over(end::interrupted);
}

bool descriptor_wait::until_ready() noexcept {
    if (!may_wait()) {
        return false;
    }
    const auto leave_alone = pace_.before_next_wait();
    if (leave_alone.count() > 0 && !pause(leave_alone)) {
        return false;
    }
    pace_.wait_begins();
    waited_ = true;
    const io_result result =
        wait_io({fd_, what_, descriptor_kind::foreign}, until_, cancellable::yes, signals_);
    switch (result.status) {
        case wait_status::notified: return result.error == 0 || over(end::error, result.error);
        case wait_status::timed_out: return over(end::timed_out);
        case wait_status::cancelled: break;
    }
    return over(end::cancelled);
}

bool descriptor_wait::for_a_moment() noexcept { return may_wait() && pause(pace_.next_pause()); }

bool descriptor_wait::pause(std::chrono::milliseconds duration) noexcept {
    if (until_.has_passed()) {
        return over(end::timed_out);
    }
    waited_ = true;
    const wait_status status = watch_.park(signals_, std::min(until_, deadline::after(duration)),
                                           {"trying again descriptor", fd_, true});
    return status != wait_status::cancelled || over(end::cancelled);
}

int descriptor_wait::fail(int on_timeout) const noexcept {
    switch (end_) {
        case end::timed_out: errno = on_timeout; break;
        case end::cancelled: errno = errno_of_cancelled_wait(); break;
        case end::interrupted: errno = EINTR; break;
        case end::error: errno = error_; break;
        case end::would_block:
        case end::none: errno = EAGAIN; break;
    }
    return -1;
}

}  // namespace coir::detail
