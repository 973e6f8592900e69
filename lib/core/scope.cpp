// SPDX-License-Identifier: BSL-1.0
#include "core/scope.hpp"

#include "base/assert.hpp"
#include "core/fiber_control.hpp"
#include "core/scheduler.hpp"

namespace coir::detail {

namespace {

constinit thread_local scope_head* innermost_of_thread = nullptr;

scope_head*& innermost() noexcept {
    if (scheduler* const s = scheduler::current()) {
        return s->running().innermost;
    }
    return innermost_of_thread;
}

}  // namespace

scope* innermost_scope() noexcept { return static_cast<scope*>(innermost()); }

group_state::group_state() noexcept : home(scheduler::current()) {}

scope::~scope() { COIR_ASSERT(!attached_, "a cancel scope dies inside the tree"); }

void scope::attach(scope* parent, fiber_control* chain) noexcept {
    COIR_ASSERT(!attached_, "a cancel scope is entered twice");
    attached_ = true;
    chain_ = chain;
    link_under(parent);
    effective_ = own_;
    if (effective_ == cancel_cause::none && reached_by_parent()) {
        effective_ = parent_->effective_;
    }
}

void scope::detach() noexcept {
    COIR_ASSERT(attached_, "a cancel scope is left that was not entered");
    while (first_child_ != nullptr) {
        scope* const child = first_child_;
        first_child_ = child->next_sibling_;
        child->link_under(parent_);
    }
    if (previous_sibling_ != nullptr) {
        previous_sibling_->next_sibling_ = next_sibling_;
    } else if (parent_ != nullptr) {
        parent_->first_child_ = next_sibling_;
    }
    if (next_sibling_ != nullptr) {
        next_sibling_->previous_sibling_ = previous_sibling_;
    }
    attached_ = false;
}

void scope::link_under(scope* parent) noexcept {
    parent_ = parent;
    previous_sibling_ = nullptr;
    next_sibling_ = nullptr;
    if (parent != nullptr) {
        next_sibling_ = parent->first_child_;
        if (next_sibling_ != nullptr) {
            next_sibling_->previous_sibling_ = this;
        }
        parent->first_child_ = this;
    }
}

bool scope::reached_by_parent() const noexcept {
    return parent_ != nullptr && !shield_ && parent_->effective_ != cancel_cause::none;
}

void scope::cancel(cancel_cause cause) noexcept {
    if (own_ != cancel_cause::none) {
        return;
    }
    own_ = cause;
    if (!attached_ || effective_ != cancel_cause::none) {
        return;  // everything below has been reached already
    }
    // A walk over the subtree with no stack, since the tree may be as deep as the program nests.
    scope* at = this;
    for (;;) {
        scope* next = nullptr;
        const bool enter = at == this || (at->effective_ == cancel_cause::none && !at->shield_);
        if (enter) {
            at->effective_ = cause;
            if (at->proxy_) {
                at->chain_->cancel_through_proxy(cause);
            } else if (at->chain_ != nullptr && at->chain_->innermost == at) {
                at->chain_->interrupt();  // only makes it ready: the tree does not change meanwhile
            }
            next = at->first_child_;
        }
        while (next == nullptr) {
            if (at == this) {
                return;
            }
            next = at->next_sibling_;
            at = at->parent_;
        }
        at = next;
    }
}

bool scope::cancelled_from_outside() const noexcept { return reached_by_parent(); }

scope* scope::target() noexcept {
    scope* found = nullptr;
    for (scope* at = this; at != nullptr; at = at->parent_) {
        if (at->own_ != cancel_cause::none) {
            found = at;
        }
        if (!at->reached_by_parent()) {
            break;
        }
    }
    return found;
}

deadline scope::refresh() noexcept {
    deadline tightest = deadline::never();
    cancel_cause cause = cancel_cause::none;
    // From the outside in, so that each scope sees what reaches it. Chains of threads are short.
    if (parent_ != nullptr) {
        const deadline outer = parent_->refresh();
        if (!shield_) {
            tightest = outer;
            cause = parent_->effective_;
        }
    }
    if (own_ == cancel_cause::none) {
        if (requested_ != nullptr && requested_->load(std::memory_order_acquire)) {
            own_ = cancel_cause::requested;
        } else if (until_.has_passed()) {
            own_ = cancel_cause::deadline;
        }
    }
    effective_ = own_ != cancel_cause::none ? own_ : cause;
    return until_ < tightest ? until_ : tightest;
}

entered_scope::entered_scope(scope& s) noexcept : scope_(s), innermost_(innermost()) {
    scheduler* const home = scheduler::current();
    scope_.attach(static_cast<scope*>(innermost_), home != nullptr ? &home->running() : nullptr);
    innermost_ = &scope_;
}

entered_scope::~entered_scope() {
    COIR_ASSERT(innermost_ == &scope_, "cancel scopes are left in another order than entered");
    innermost_ = scope_.parent();
    scope_.detach();
}

}  // namespace coir::detail
