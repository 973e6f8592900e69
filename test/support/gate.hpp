// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/detail/spin_lock.hpp>
#include <coir/wait_queue.hpp>

#include <mutex>

namespace coir::test {

// A counter that fibers and threads wait for, as a semaphore is built on a wait_queue: how a test
// makes one wait for another without a pause.
class gate {
public:
    // Lets `by` pass, now or later.
    void open(int by = 1) {
        const std::lock_guard lock(lock_);
        permits_ += by;
        for (int i = 0; i < by; ++i) {
            queue_.unpark_one();
        }
    }

    // Not notified: it has not passed.
    wait_status pass(deadline until = deadline::never()) {
        std::unique_lock lock(lock_);
        while (permits_ == 0) {
            const wait_status status = queue_.park(lock, until, label);
            if (status != wait_status::notified) {
                return status;
            }
        }
        --permits_;
        return wait_status::notified;
    }

    int permits() {
        const std::lock_guard lock(lock_);
        return permits_;
    }

private:
    static constexpr wait_label label{"a test's gate", -1, true};

    detail::spin_lock lock_;
    int permits_ = 0;
    wait_queue queue_;
};

}  // namespace coir::test
