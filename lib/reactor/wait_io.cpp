// SPDX-License-Identifier: BSL-1.0
#include "reactor/wait_io.hpp"

#include "base/system_calls.hpp"
#include "core/scope.hpp"
#include "core/waiter.hpp"
#include "reactor/descriptor_records.hpp"
#include "reactor/poll_timeout.hpp"
#include "reactor/reactor.hpp"

#include <poll.h>
#include <cerrno>
#include <memory>
#include <new>

namespace coir::detail {

namespace {

// poll(2) on the thread itself. A scope's deadline bounds it; a cancellation by another thread is
// seen before and after.
io_result wait_on_thread(const io_interest* interests, std::size_t count, deadline until,
                         cancellable cancel, ended_by signals) noexcept {
    wait_status on_deadline = wait_status::timed_out;
    if (scope* const innermost = innermost_scope();
        innermost != nullptr && cancel == cancellable::yes) {
        const deadline reaching_in = innermost->refresh();
        if (innermost->effective() != cancel_cause::none) {
            return {wait_status::cancelled, 0};
        }
        if (reaching_in < until) {
            until = reaching_in;
            on_deadline = wait_status::cancelled;
        }
    }
    pollfd few[8];
    std::unique_ptr<pollfd[]> many;
    pollfd* polled = few;
    if (count > std::size(few)) {
        many.reset(new (std::nothrow) pollfd[count]);
        polled = many.get();
        if (polled == nullptr) {
            return {wait_status::notified, ENOMEM};
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        polled[i] = {interests[i].descriptor,
                     static_cast<short>(interests[i].what == direction::read ? POLLIN : POLLOUT),
                     0};
    }
    const int saved = errno;
    for (;;) {
        const poll_timeout timeout(until);
        const int found = sys.ppoll(polled, count, timeout.as_timespec(), nullptr);
        const int error = found < 0 ? errno : 0;
        errno = saved;
        if (found > 0) {
            for (std::size_t i = 0; i < count; ++i) {
                if ((polled[i].revents & POLLNVAL) != 0) {
                    return {wait_status::notified, EBADF};
                }
            }
            return {wait_status::notified, 0};
        }
        if (found < 0 && error != EINTR) {
            return {wait_status::notified, error};
        }
        if (found < 0 && signals != ended_by::no_handler) {
            return {wait_status::notified, 0};
        }
        if (until.has_passed()) {
            if (on_deadline == wait_status::cancelled) {
                innermost_scope()->refresh();  // no timer tells the scope that it is over
            }
            return {on_deadline, 0};
        }
    }
}

}  // namespace

io_result wait_io_any(const io_interest* interests, std::size_t count, deadline until,
                      cancellable cancel, ended_by signals) noexcept {
    if (reactor* const here = reactor::current()) {
        return here->wait_any(interests, count, until, cancel, signals);
    }
    return wait_on_thread(interests, count, until, cancel, signals);
}

io_result wait_io(const io_interest& interest, deadline until, cancellable cancel,
                  ended_by signals) noexcept {
    if (reactor* const here = reactor::current()) {
        return here->wait_one(interest, until, cancel, signals);
    }
    return wait_on_thread(&interest, 1, until, cancel, signals);
}

io_closing::io_closing(int descriptor) noexcept : descriptor_(descriptor) {
    if (descriptor_ < 0) {
        return;
    }
    const int saved = errno;
    reactor* const here = reactor::current();
    const bool others_wait =
        descriptor_record::of(descriptor_).end_life(here != nullptr ? here->number() : 0);
    if (here != nullptr) {
        here->forget(descriptor_);
    }
    if (others_wait) {
        tell_other_reactors(here, descriptor_);
    }
    errno = saved;
}

io_closing::~io_closing() {
    if (descriptor_ < 0) {
        return;
    }
    reactor* const here = reactor::current();
    if (descriptor_record::of(descriptor_).awaited(here != nullptr ? here->number() : 0)) {
        const int saved = errno;
        tell_other_reactors(here, descriptor_);
        errno = saved;
    }
}

int io_close(int descriptor) noexcept {
    const io_closing closing(descriptor);
    return sys.close(descriptor);
}

void io_forget(int descriptor) noexcept { const io_closing over(descriptor); }

}  // namespace coir::detail
