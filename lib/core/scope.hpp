// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/detail/quick_call.hpp>

#include <atomic>

namespace coir::detail {

class fiber_control;

// A node in the tree of what can be cancelled as a whole. The root is the scheduler's; under it
// stand the fibers' own scopes, below those the scopes that each fiber has entered (a chain, the
// innermost last) and the scopes of task groups, which are nobody's chain but parents to the
// fibers of the group.
//
// Cancellation is level-triggered. What a cancellation point asks is one load: effective(), which
// cancel() has pushed down the tree, past no shield, waking whoever waits there. A new scope
// inherits it.
//
// A fiber that may start on another carrier has two: its own scope, in the tree of the carrier that
// it runs on, and a *proxy* in the tree where it was spawned, which stands for it there. What
// reaches the proxy is told to the fiber, wherever it is; on the carrier where it was spawned its
// own scope just stands below the proxy.
//
// On a plain thread scopes form a chain of their own, found through innermost_of_thread(); there is
// no timer, so deadlines are looked at when something waits.
//
// Only the home thread touches a scope; cancelling from elsewhere goes through shared_scope or
// fiber_control, and the inbox.
class scope : public scope_head {
public:
    scope() = default;
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope();

    // Takes its place under `parent` (null: a root). `chain` is the fiber in whose chain it is.
    void attach(scope* parent, fiber_control* chain) noexcept;

    // The same for a fiber's proxy. Not for scopes that something may wait in.
    void attach_proxy(scope* parent, fiber_control& traveller) noexcept {
        proxy_ = true;
        attach(parent, &traveller);
    }

    // Leaves the tree. Children that are still there (a group that outlives the scope it was made
    // in) move to the parent, with what cancellation they have seen.
    void detach() noexcept;

    // Cancels everything under this scope, and wakes what waits there.
    void cancel(cancel_cause cause) noexcept;

    void make_shield() noexcept { shield_ = true; }
    void set_deadline(deadline until) noexcept { until_ = until; }
    void watch(const std::atomic<bool>& requested) noexcept { requested_ = &requested; }

    // Why this very scope is cancelled.
    cancel_cause own() const noexcept { return own_; }

    // Whether a scope further out is cancelled, and no shield hides it: then an
    // operation_cancelled belongs to that one.
    bool cancelled_from_outside() const noexcept;

    // The scope at which an operation_cancelled thrown directly in this one will stop.
    scope* target() noexcept;

    // A libc-shaped call has failed on behalf of this scope: see run_until().
    void mark_reported() noexcept { reported_ = true; }
    bool reported() const noexcept { return reported_; }

    // For plain threads: brings own() and effective() of the chain up to date with the clock and
    // with what other threads asked for, and gives the tightest deadline that reaches in.
    deadline refresh() noexcept;

    scope* parent() const noexcept { return parent_; }

private:
    void link_under(scope* parent) noexcept;
    bool reached_by_parent() const noexcept;

    scope* parent_ = nullptr;
    scope* first_child_ = nullptr;
    scope* next_sibling_ = nullptr;
    scope* previous_sibling_ = nullptr;
    fiber_control* chain_ = nullptr;
    deadline until_ = deadline::never();            // for refresh() alone
    const std::atomic<bool>* requested_ = nullptr;  // likewise; null: nobody else cancels this
    cancel_cause own_ = cancel_cause::none;
    bool shield_ = false;
    bool proxy_ = false;  // for chain_, and not in its chain
    bool reported_ = false;
    bool attached_ = false;
};

// The calling fiber's innermost scope, or the calling thread's; null if a thread has none.
scope* innermost_scope() noexcept;

// Makes `s` the caller's innermost scope for as long as the guard lives.
class entered_scope {
public:
    explicit entered_scope(scope& s) noexcept;
    entered_scope(const entered_scope&) = delete;
    entered_scope& operator=(const entered_scope&) = delete;
    ~entered_scope();

private:
    scope& scope_;
    scope_head*& innermost_;
};

}  // namespace coir::detail
