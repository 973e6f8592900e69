// SPDX-License-Identifier: BSL-1.0
#include "core/waiter.hpp"

#include "base/assert.hpp"
#include "core/scheduler.hpp"
#include "core/scope.hpp"

#include <coir/cancellation.hpp>

#include <algorithm>
#include <cerrno>

namespace coir::detail {

namespace {

fiber_control* running_fiber() noexcept {
    scheduler* const home = scheduler::current();
    return home != nullptr ? &home->running() : nullptr;
}

// By its own thread alone; a handler that interrupts this leaves it as it was.
void count_waiter(fiber_control& fiber, int change) noexcept {
    const int now = fiber.waiters.load(std::memory_order_relaxed) + change;
    fiber.waiters.store(static_cast<std::uint8_t>(now), std::memory_order_relaxed);
}

// On a plain thread there is no timer: the scopes' deadlines bound the wait.
[[gnu::noinline]] wait_status park_thread(waiter& w, deadline until, cancellable cancel) noexcept {
    wait_status on_deadline = wait_status::timed_out;
    if (scope* const innermost = innermost_scope();
        innermost != nullptr && cancel == cancellable::yes) {
        const deadline reaching_in = innermost->refresh();
        if (innermost->effective() != cancel_cause::none && w.claim(wait_status::cancelled)) {
            return wait_status::cancelled;
        }
        if (reaching_in < until) {
            until = reaching_in;
            on_deadline = wait_status::cancelled;
        }
    }
    if (!w.thread()->park(until) && !w.claim(on_deadline)) {
        // A notifier was faster and is about to unpark us: it must not find us gone.
        w.thread()->park(deadline::never());
    }
    if (on_deadline == wait_status::cancelled) {
        innermost_scope()->refresh();
    }
    return w.outcome();
}

}  // namespace

waiter::waiter(bool shared) noexcept
    : inbox_item(deliver_from_inbox),
      shared_(shared),
      fiber_(running_fiber()),
      parker_(fiber_ == nullptr ? &thread_parker::of_this_thread() : nullptr) {
    if (fiber_ != nullptr) {
        count_waiter(*fiber_, 1);
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);  // before it stands anywhere
}

waiter::~waiter() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (fiber_ != nullptr) {
        count_waiter(*fiber_, -1);
    }
}

bool waiter::is_local() const noexcept {
    return fiber_ != nullptr && &fiber_->home() == scheduler::current();
}

void waiter::deliver() noexcept {
    COIR_ASSERT(claimed(), "a wait is delivered that nobody has ended");
    if (fiber_ == nullptr) {
        parker_->unpark();
    } else if (is_local()) {
        fiber_->home().make_ready(*fiber_);
    } else {
        deliver_through_inbox();
    }
}

void waiter::deliver_through_inbox() noexcept {
    COIR_ASSERT(fiber_ != nullptr, "a plain thread has no inbox");
    fiber_->home().post(*this);
}

void waiter::deliver_from_inbox(inbox_item& item) noexcept {
    fiber_control& fiber = *static_cast<waiter&>(item).fiber_;
    fiber.home().make_ready(fiber);
}

wait_node* claim_one(wait_link& head) noexcept {
    while (head.next != &head) {
        auto& node = static_cast<wait_node&>(*head.next);
        node.unlink();
        // The owner is alive: before it goes it takes this node out, for which it needs the lock
        // that we hold (or, without a lock, the thread that we run on).
        if (node.owner->claim(wait_status::notified)) {
            node.notified = true;
            return &node;
        }
        // Its wait has ended otherwise, perhaps through its node in another queue.
    }
    return nullptr;
}

bool unpark_one(wait_link& head) noexcept {
    wait_node* const node = claim_one(head);
    if (node == nullptr) {
        return false;
    }
    node->owner->deliver();  // the owner and its node may be gone now
    return true;
}

std::size_t unpark_all(wait_link& head) noexcept {
    std::size_t count = 0;
    while (unpark_one(head)) {
        ++count;
    }
    return count;
}

wait_status park(waiter& w, deadline until, const wait_label& label, cancellable cancel) noexcept {
    if (w.fiber() == nullptr) [[unlikely]] {
        return park_thread(w, until, cancel);
    }
    return w.fiber()->home().park(w, until, label, cancel);
}

// Inlined into both that follow: cancellation points are what is called most.
static inline bool innermost_is_cancelled() noexcept {
    if (scheduler* const home = scheduler::current()) [[likely]] {
        return home->running().innermost->effective() != cancel_cause::none;
    }
    scope* const innermost = innermost_scope();
    if (innermost == nullptr) {
        return false;
    }
    innermost->refresh();
    return innermost->effective() != cancel_cause::none;
}

bool cancellation_pending() noexcept { return innermost_is_cancelled(); }

void check_cancelled() {
    if (innermost_is_cancelled()) {
        throw operation_cancelled();
    }
}

int cancellation_errno() noexcept {
    scope* const innermost = innermost_scope();
    scope* const target = innermost != nullptr ? innermost->target() : nullptr;
    if (target == nullptr) {
        return ECANCELED;
    }
    target->mark_reported();
    return target->own() == cancel_cause::deadline ? ETIMEDOUT : ECANCELED;
}

void quick_call::give_way() noexcept { scheduler::current()->yield(); }

void spend_budget() noexcept {
    if (scheduler* const home = scheduler::current()) {
        home->spend_budget();
    }
}

}  // namespace coir::detail
