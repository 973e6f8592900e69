// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/signal_line.hpp"
#include "net/posix_call.hpp"
#include "net/posix_retry_pace.hpp"

#include <coir/deadline.hpp>
#include <coir/wait_queue.hpp>

#include <algorithm>

namespace coir::detail {

// The waiting of one call for what nobody announces, such as a file lock: the call is tried without
// waiting, again and again, after 1, 2, 4 .. 16 ms.
class paced_wait {
public:
    explicit paced_wait(const wait_label& label, deadline until = deadline::never()) noexcept
        : label_(label), until_(until) {}

    // Parks until the next try is due, or the deadline has come. False: cancelled or interrupted by
    // a signal, see fail().
    [[nodiscard]] bool for_a_moment() noexcept {
        waited_ = true;
        watch_.begin();
        if (watch_.is_over(signals)) {
            interrupted_ = true;
            return false;
        }
        const deadline next_try = std::min(until_, deadline::after(pace_.next_pause()));
        return watch_.park(signals, next_try, label_) != wait_status::cancelled;
    }

    bool waited() const noexcept { return waited_; }

    // Sets errno to the reason why it is over. @returns -1.
    int fail() const noexcept {
        errno = interrupted_ ? EINTR : errno_of_cancelled_wait();
        return -1;
    }

private:
    static constexpr ended_by signals = ended_by::handlers_without_restart;

    const wait_label label_;
    const deadline until_;
    bool waited_ = false;
    bool interrupted_ = false;
    retry_pace pace_;
    signal_watch watch_;
};

}  // namespace coir::detail
