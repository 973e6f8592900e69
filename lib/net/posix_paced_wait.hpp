// SPDX-License-Identifier: BSL-1.0
#pragma once

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

    // Parks until the next try is due, or the deadline has come. False: cancelled, see fail().
    [[nodiscard]] bool for_a_moment() noexcept {
        waited_ = true;
        wait_queue nobody_notifies;
        return nobody_notifies.park(std::min(until_, deadline::after(pace_.next_pause())),
                                    label_) != wait_status::cancelled;
    }

    bool waited() const noexcept { return waited_; }

    // Sets errno to the reason of the cancellation. @returns -1.
    int fail() const noexcept {
        errno = errno_of_cancelled_wait();
        return -1;
    }

private:
    const wait_label label_;
    const deadline until_;
    bool waited_ = false;
    retry_pace pace_;
};

}  // namespace coir::detail
