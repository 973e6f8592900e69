// SPDX-License-Identifier: BSL-1.0
#include "hook/parking_lot.hpp"

#include "hook/beginnings.hpp"

#include <pthread.h>
#include <new>

namespace coir::hook::detail {

constinit parking_lot lock_lot;
constinit parking_lot condition_lot;
constinit parking_lot beginning_lot;

void parking_lot::enter(spot& where, waiting_fiber& one) noexcept {
    one.previous = where.last_;
    (where.last_ != nullptr ? where.last_->next : where.first_) = &one;
    where.last_ = &one;
    where.count_.fetch_add(1, std::memory_order_seq_cst);
    count_.fetch_add(1, std::memory_order_seq_cst);
    order_before_next_step();
}

void parking_lot::leave(spot& where, waiting_fiber& one) noexcept {
    (one.previous != nullptr ? one.previous->next : where.first_) = one.next;
    (one.next != nullptr ? one.next->previous : where.last_) = one.previous;
    where.count_.fetch_sub(1, std::memory_order_relaxed);
    count_.fetch_sub(1, std::memory_order_relaxed);
}

void parking_lot::forget_in_child() noexcept { ::new (this) parking_lot; }

namespace {

void forget_in_child() noexcept {
    forget_thread_id();
    lock_lot.forget_in_child();
    condition_lot.forget_in_child();
    beginning_lot.forget_in_child();
    forget_beginnings_in_child();
}

[[gnu::constructor]] void follow_forks() noexcept {
    ::pthread_atfork(nullptr, nullptr, forget_in_child);
}

}  // namespace

}  // namespace coir::hook::detail
