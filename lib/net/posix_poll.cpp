// SPDX-License-Identifier: BSL-1.0
// poll, ppoll.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "core/signal_line.hpp"
#include "net/posix_call.hpp"
#include "net/posix_poll.hpp"
#include "net/posix_retry_pace.hpp"
#include "net/posix_scratch.hpp"
#include "net/posix_timespec.hpp"
#include "reactor/wait_io.hpp"

#include <coir/wait_queue.hpp>

#include <algorithm>

namespace coir::detail {

namespace {

constexpr int told_by_writing = POLLOUT | POLLWRNORM | POLLWRBAND;

// Waits until the kernel should be asked again. @returns 0, or an errno.
class poll_wait {
public:
    poll_wait(const pollfd* fds, nfds_t count, deadline until, bool has_mask,
              signal_watch& watch) noexcept
        : interests_(2 * count), until_(until), look_often_(has_mask), watch_(watch) {
        watch_.begin();
        if (interests_.get() == nullptr) {
            return;
        }
        for (nfds_t i = 0; i < count; ++i) {
            add(fds[i]);
        }
    }

    int operator()() noexcept {
        if (interests_.get() == nullptr) {
            return ENOMEM;
        }
        if (watch_.is_over(signals)) {
            return EINTR;
        }
        if (const auto pause = pace_.before_next_wait(); pause.count() > 0) {
            const wait_status status = watch_.park(
                signals, std::min(until_, deadline::after(pause)), {"polling again", -1, true});
            if (status == wait_status::cancelled) {
                return errno_of_cancelled_wait();
            }
            if (until_.has_passed()) {
                return 0;
            }
        }
        pace_.wait_begins();
        const deadline next_look =
            look_often_ ? std::min(until_, deadline::after(retry_pace::longest_pause)) : until_;
        const io_result result =
            wait_io_any(interests_.get(), count_, next_look, cancellable::yes, signals);
        if (result.status == wait_status::cancelled) {
            return errno_of_cancelled_wait();
        }
        // A descriptor that was closed meanwhile is one to report, as POLLNVAL.
        return result.error == EBADF ? 0 : result.error;
    }

private:
    // Reading stands for whatever else was asked for: an error or a hang-up ends either wait, and
    // urgent data or the peer's end a wait for reading. Where that comes of data that was not asked
    // for, the pace keeps us from spinning.
    void add(const pollfd& one) noexcept {
        if (one.fd < 0) {
            return;
        }
        const bool write = (one.events & told_by_writing) != 0;
        const bool read = (one.events & ~told_by_writing) != 0 || !write;
        if (write) {
            interests_.get()[count_++] = {one.fd, direction::write, descriptor_kind::foreign};
        }
        if (read) {
            interests_.get()[count_++] = {one.fd, direction::read, descriptor_kind::foreign};
        }
    }

    static constexpr ended_by signals = ended_by::any_handler;

    call_scratch<io_interest, 16> interests_;
    std::size_t count_ = 0;
    const deadline until_;
    const bool look_often_;
    retry_pace pace_;
    signal_watch& watch_;
};

int look(pollfd* fds, nfds_t count, const sigset_t* mask) noexcept {
    if (mask == nullptr) {
        return sys.poll(fds, count, 0);
    }
    const timespec no_time{};
    return sys.ppoll(fds, count, &no_time, mask);
}

// A plain thread in a scope: the scope's deadline bounds a poll(2) that blocks.
int poll_on_thread(pollfd* fds, nfds_t count, deadline until, const sigset_t* mask) noexcept {
    const deadline first = std::min(until, innermost_scope()->refresh());
    for (;;) {
        const timespec left = first.is_never() ? timespec{} : to_timespec(first.remaining());
        const int found = sys.ppoll(fds, count, first.is_never() ? nullptr : &left, mask);
        if (found != 0) {
            return found;
        }
        if (cancellation_pending()) {
            errno = cancellation_errno();
            return -1;
        }
        if (until.has_passed()) {
            return 0;
        }
    }
}

}  // namespace

int poll_until(pollfd* fds, nfds_t count, deadline until, const sigset_t* mask, bool& waited,
               signal_watch& watch) noexcept {
    if (scheduler::current() == nullptr) {
        return poll_on_thread(fds, count, until, mask);
    }
    int found = look(fds, count, mask);
    if (found != 0 || until.has_passed()) {
        return found;
    }
    poll_wait wait(fds, count, until, mask != nullptr, watch);
    while (found == 0) {
        waited = true;
        if (const int error = wait(); error != 0) {
            errno = error;
            return -1;
        }
        // Read before the last look, which then is no earlier than the deadline.
        const bool last = until.has_passed();
        found = look(fds, count, mask);
        if (last) {
            break;
        }
    }
    return found;
}

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

int poll(pollfd* fds, nfds_t count, int timeout_ms) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.poll(fds, count, timeout_ms);
    }
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    deadline until = deadline::never();
    if (timeout_ms == 0) {
        until = deadline::immediately();
    } else if (timeout_ms > 0) {
        until = deadline::after(std::chrono::milliseconds(timeout_ms));
    }
    bool waited = false;
    detail::signal_watch watch;
    const int found = detail::poll_until(fds, count, until, nullptr, waited, watch);
    return call.end(found, waited);
}

int ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.ppoll(fds, count, timeout, mask);
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
    detail::signal_watch watch;
    const int found = detail::poll_until(fds, count, until, mask, waited, watch);
    return call.end(found, waited);
}

}  // namespace coir::posix
