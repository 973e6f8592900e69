// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/signal_line.hpp"
#include "net/posix_retry_pace.hpp"
#include "reactor/io_interest.hpp"

#include <coir/deadline.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>

namespace coir::detail {

// The waiting of one call on a descriptor of the program's. It is asked only after the kernel has
// said "would block" to a try that could not block, and only then asks on whose terms to wait: a
// program that set O_NONBLOCK gets its EAGAIN, SO_RCVTIMEO and SO_SNDTIMEO bound the call as a
// whole. A handler of a signal that has run since ends the wait that comes next, and not the try
// before it, so that nothing that could be had is refused. Descriptors and options live in the
// kernel alone, so dup, fcntl, inherited and passed descriptors need no care.
class descriptor_wait {
public:
    descriptor_wait(int fd, direction what) noexcept : fd_(fd), what_(what) {}

    // Parks until the next try may do something. False: the call is over, see fail().
    [[nodiscard]] bool until_ready() noexcept;

    // The same for what the kernel cannot announce: waits 1, 2, 4 .. 16 ms.
    [[nodiscard]] bool for_a_moment() noexcept;

    // The call has moved data: what follows is no repetition. And what could be restarted is not: a
    // part is told of, whatever the handler's flags.
    void progressed() noexcept {
        pace_.progressed();
        signals_ = ended_by::any_handler;
    }

    // Ends the waiting at `until`, if that comes before the socket's own timeout.
    void limit(deadline until) noexcept { limit_ = until; }

    bool waited() const noexcept { return waited_; }
    bool timed_out() const noexcept { return end_ == end::timed_out; }

    // Sets errno to the reason why the call is over. @returns -1. Not to be called where part of
    // the work is done and reported: a cancellation that no caller has seen must not count as seen.
    int fail(int on_timeout = EAGAIN) const noexcept;

private:
    enum class end : std::uint8_t { none, would_block, timed_out, cancelled, interrupted, error };

    bool may_wait() noexcept;
    bool learn_terms() noexcept;
    bool pause(std::chrono::milliseconds duration) noexcept;
    bool over(end why, int error = 0) noexcept;

    const int fd_;
    const direction what_;
    bool terms_known_ = false;
    bool waited_ = false;
    end end_ = end::none;
    ended_by signals_ = ended_by::handlers_without_restart;
    int error_ = 0;
    deadline limit_;
    deadline until_;
    retry_pace pace_;
    signal_watch watch_;
};

}  // namespace coir::detail
