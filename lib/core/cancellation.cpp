// SPDX-License-Identifier: BSL-1.0
#include <coir/cancellation.hpp>

#include "core/scheduler.hpp"
#include "core/shared_scope.hpp"

#include <coir/timeout.hpp>

#include <mutex>
#include <stdexcept>
#include <utility>

namespace coir {

namespace detail {

bool timed_scope::run(function_ref body) {
    scheduler* const home = scheduler::current();
    const entered_scope entered(*this);
    if (home != nullptr && !until_.is_never()) {
        if (home->has_passed(until_)) {
            cancel(cancel_cause::deadline);
        } else {
            home->timers().arm(expiry_, until_);
        }
    }
    struct disarm_at_exit {
        ~disarm_at_exit() {
            if (home != nullptr) {
                home->timers().cancel(expiry);
            }
        }
        scheduler* home;
        timer& expiry;
    } const disarm{home, expiry_};
    try {
        body();
    } catch (const operation_cancelled&) {
        if (home == nullptr) {
            refresh();  // a plain thread has no timer that would have told this scope
        }
        // It belongs to the outermost cancelled scope that reaches in. Not here: let it pass.
        if (own() == cancel_cause::none || cancelled_from_outside()) {
            throw;
        }
        return false;
    }
    return true;
}

void shared_scope::enter() {
    const std::lock_guard guard(lock_);
    if (entered_) {
        throw std::logic_error("coir::cancel_scope::run: the scope has been entered already");
    }
    entered_ = true;
    home_ = scheduler::current();
    if (home_ != nullptr) {
        home_->threads_can_cancel(true);  // any thread may call cancel()
    }
}

void shared_scope::leave() noexcept {
    bool undelivered = false;
    scheduler* home = nullptr;
    {
        const std::lock_guard guard(lock_);
        entered_ = false;
        home = std::exchange(home_, nullptr);
        undelivered = posted_.on_its_way();
    }
    if (home != nullptr) {
        home->threads_can_cancel(false);
    }
    if (undelivered) {
        home->deliver_inbox();  // the item must not outlive the stay
    }
}

bool shared_scope::run(function_ref body) {
    enter();
    struct leave_at_exit {
        ~leave_at_exit() { self.leave(); }
        shared_scope& self;
    } const leaving{*this};
    if (requested_.load(std::memory_order_acquire)) {  // after enter(): none is missed
        scope_.cancel(cancel_cause::requested);
    }
    return scope_.run(body);
}

void shared_scope::cancel() noexcept {
    const std::lock_guard guard(
        lock_);  // while it is held the scope cannot be left, nor its home end
    requested_.store(true, std::memory_order_release);
    if (home_ == nullptr) {
        return;  // not entered, or by a plain thread, which looks at the flag
    }
    if (home_ == scheduler::current()) {
        scope_.cancel(cancel_cause::requested);
    } else {
        posted_.post_to(*home_);
    }
}

bool shared_scope::cancel_requested() const noexcept {
    return requested_.load(std::memory_order_acquire) || scope_.until().has_passed();
}

bool run_in_scope(shared_scope& scope, function_ref body) { return scope.run(body); }

void run_shielded(function_ref body) {
    scope shield;
    shield.make_shield();
    const entered_scope entered(shield);
    body();
}

bool run_until(deadline until, function_ref body) {
    timed_scope limited(until);
    // A libc-shaped call that failed because of this deadline has returned through C frames, and
    // the body came to its end all the same: that was no success. See scope::mark_reported().
    return limited.run(body) && !limited.reported();
}

void throw_timed_out() { throw timed_out(); }

}  // namespace detail

cancel_scope::cancel_scope(deadline until)
    : state_(std::make_unique<detail::shared_scope>(until)) {}
cancel_scope::~cancel_scope() = default;
void cancel_scope::cancel() noexcept { state_->cancel(); }
bool cancel_scope::cancel_requested() const noexcept { return state_->cancel_requested(); }

timed_out::timed_out()
    : std::system_error(std::make_error_code(std::errc::timed_out),
                        "coir: the deadline has passed") {}
timed_out::~timed_out() = default;

}  // namespace coir
