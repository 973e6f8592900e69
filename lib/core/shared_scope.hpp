// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/posted_cancel.hpp"
#include "core/scope.hpp"
#include "time/timer_queue.hpp"

#include <coir/deadline.hpp>
#include <coir/detail/function_ref.hpp>
#include <coir/detail/spin_lock.hpp>

#include <atomic>

namespace coir::detail {

// A scope whose deadline is a timer of the scheduler's, for as long as it is entered.
class timed_scope : public scope {
public:
    explicit timed_scope(deadline until) noexcept : expiry_(*this), until_(until) {
        set_deadline(until);
    }

    // Calls body inside. True if body came to its end; false if an operation_cancelled stopped
    // here. Whatever else escapes passes.
    bool run(function_ref body);

    deadline until() const noexcept { return until_; }

private:
    struct expiry_timer : timer {
        explicit expiry_timer(scope& s) noexcept : timer(expire), expiring(s) {}
        static void expire(timer& t) noexcept {
            static_cast<expiry_timer&>(t).expiring.cancel(cancel_cause::deadline);
        }
        scope& expiring;
    };

    expiry_timer expiry_;
    const deadline until_;
};

// What a coir::cancel_scope holds: a scope that any thread may cancel, before it is entered and
// while it is.
class shared_scope {
public:
    explicit shared_scope(deadline until) noexcept : scope_(until) { scope_.watch(requested_); }

    bool run(function_ref body);
    void cancel() noexcept;
    bool cancel_requested() const noexcept;

private:
    void enter();
    void leave() noexcept;

    timed_scope scope_;
    std::atomic<bool> requested_{false};
    mutable spin_lock lock_;  // guards what follows
    bool entered_ = false;
    scheduler* home_ = nullptr;  // while entered by a fiber: where to post
    posted_cancel posted_{scope_, lock_};
};

}  // namespace coir::detail
