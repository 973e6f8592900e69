// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scheduler.hpp"
#include "core/waiter.hpp"

namespace coir::detail {

// What every call does that may wait, for those that are so short, if they need not, that a call of
// a function for either would be a good part of them.
class cancellation_point {
public:
    // As check_cancelled().
    cancellation_point() : home_(scheduler::current()) {
        if (home_ == nullptr || home_->running().innermost->effective() != cancel_cause::none) {
            check_cancelled();
        }
    }

    // As spend_budget(): it did not need to wait.
    void passed_at_once() const noexcept {
        if (home_ != nullptr) {
            home_->spend_budget();
        }
    }

private:
    scheduler* const home_;  // whose fiber calls, for good; null: a plain thread
};

}  // namespace coir::detail
