// SPDX-License-Identifier: BSL-1.0
#include "core/fiber_control.hpp"

#include "base/assert.hpp"
#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "context/block_pool.hpp"
#include "core/join_link.hpp"
#include "core/scheduler.hpp"

#include <coir/cancellation.hpp>

#include <mutex>
#include <new>
#include <utility>

namespace coir::detail {

namespace {

// Ids are handed to threads in batches, so that a spawn touches no line that threads share.
std::uint64_t next_id() noexcept {
    constexpr std::uint64_t batch = 1024;
    static std::atomic<std::uint64_t> next_batch{1};
    constinit static thread_local std::uint64_t next = 0;
    constinit static thread_local std::uint64_t end = 0;
    if (next == end) {
        next = next_batch.fetch_add(batch, std::memory_order_relaxed);
        end = next + batch;
    }
    return next++;
}

constexpr std::size_t aligned(std::size_t bytes) noexcept {
    return (bytes + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
}

}  // namespace

fiber_control::fiber_control(scheduler& spawner, scheduler& books, bool may_travel,
                             fiber_options&& chosen, handle_kind kind, group_state* spawned_in,
                             std::size_t allocated)
    : id(next_id()),
      origin(&books),
      travels(may_travel),
      options(std::move(chosen)),
      group(spawned_in),
      home_(&spawner),
      settled_(!may_travel),
      handle_let_go_(kind == handle_kind::detached),
      owners_(kind == handle_kind::detached ? 1 : 2),
      allocated_bytes_(allocated) {
    innermost = &own_scope;
    if (travels) {
        ::new (reinterpret_cast<char*>(this) + aligned(sizeof(fiber_control))) travel_part(*this);
    } else {
        own_scope.attach(group != nullptr ? &group->members : &books.root(), this);
    }
}

fiber_control::travel_part& fiber_control::travel() noexcept {
    return *std::launder(reinterpret_cast<travel_part*>(reinterpret_cast<char*>(this) +
                                                        aligned(sizeof(fiber_control))));
}

std::size_t fiber_control::allocation_size(std::size_t callable_bytes, bool travels) noexcept {
    return aligned(sizeof(fiber_control)) + (travels ? aligned(sizeof(travel_part)) : 0) +
           callable_bytes;
}

void* fiber_control::storage() noexcept {
    return reinterpret_cast<char*>(this) + allocation_size(0, travels);
}

std::string fiber_control::display_name() const {
    return options.name.empty() ? "fiber " + std::to_string(id) : options.name;
}

void fiber_control::interrupt() noexcept {
    if (wait != nullptr && wait_cancellable && wait->claim(wait_status::cancelled)) {
        wait->deliver();
    }
}

void fiber_control::run() noexcept {
    if (failure_) {
        fail();
    } else {
        call();
    }
    callable->destroy(storage());
    locals.destroy_all();
    inherited = {};
}

void fiber_control::call() noexcept {
    try {
        callable->invoke(storage());
    } catch (const operation_cancelled&) {
        // It has come to the fiber's own scope, or to one further out, which needs nothing of us.
    } catch (...) {
        failure_ = std::current_exception();
    }
}

void fiber_control::fail() noexcept {
    if (callable->fail == nullptr) {
        return;
    }
    callable->fail(storage(), failure_);
    // Then it passes the failure on; a group wants to know all the same.
    if (group == nullptr) {
        failure_ = nullptr;
    }
}

void fiber_control::announce_end() noexcept {
    if (group != nullptr) {
        group_failure_ = std::exchange(failure_, nullptr);
    }
    own_scope.detach();
    std::exception_ptr unheard;
    {
        const std::lock_guard guard(lock_);
        ended_ = true;
        if (handle_let_go_) {
            unheard = std::exchange(failure_, nullptr);
        }
        joiners_.unpark_all();
    }
    log_failure(unheard);
}

void fiber_control::strike_off() noexcept {
    if (travels) {
        pass_report_on();
        travel().proxy.detach();
    }
    if (group != nullptr) {
        group->fiber_ended(*this, std::exchange(group_failure_, nullptr));
    }
}

// A libc-shaped call that failed elsewhere on behalf of a scope around us has told our own scope,
// the outermost that there is.
void fiber_control::pass_report_on() noexcept {
    if (own_scope.reported()) {
        if (scope* const whose = travel().proxy.target()) {
            whose->mark_reported();
        }
    }
}

bool fiber_control::ended_for_handles() noexcept {
    const std::lock_guard guard(lock_);
    return ended_;
}

void fiber_control::join(cancellable cancel) {
    if (ended_for_handles()) {
        return;
    }
    const join_link link(*this, cancel == cancellable::yes ? join_link::circle::is_refused
                                                           : join_link::circle::is_let_be);
    std::unique_lock guard(lock_);
    while (!ended_) {
        const wait_label what{"the end of fiber", static_cast<long>(id),
                              !scheduler::shares_carriers_with(home())};
        if (joiners_.park(guard, deadline::never(), what, cancel) == wait_status::cancelled) {
            throw operation_cancelled();
        }
    }
}

std::exception_ptr fiber_control::let_go() noexcept {
    std::exception_ptr failure;
    {
        const std::lock_guard guard(lock_);
        handle_let_go_ = true;
        if (ended_) {
            failure.swap(failure_);
        }
    }
    return failure;
}

std::exception_ptr fiber_control::detach_joined() noexcept {
    std::exception_ptr failure = let_go();
    release();
    return failure;
}

void fiber_control::detach() noexcept {
    log_failure(let_go());
    release();
}

void fiber_control::release() noexcept {
    // The last owner frees. Whoever finds itself alone needs no atomic exchange; acquire pairs with
    // the other owner's release, so that what it did here comes before the end.
    if (owners_.load(std::memory_order_acquire) != 1 &&
        owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
        return;
    }
    free();
}

void fiber_control::discard() noexcept {
    if (!travels) {
        own_scope.detach();
    } else if (in_books) {
        travel().proxy.detach();
    }
    free();
}

void fiber_control::free() noexcept {
    const std::size_t bytes = allocated_bytes_;
    if (travels) {
        travel().~travel_part();
    }
    this->~fiber_control();
    block_pool::release(this, bytes);
}

// --- Cancelling from outside -------------------------------------------------------------------

void fiber_control::request_cancel() noexcept {
    if (!travels && &home() == scheduler::current()) {
        own_scope.cancel(cancel_cause::requested);
    } else {
        cancel_from_elsewhere(cancel_cause::requested);
    }
}

void fiber_control::cancel_through_proxy(cancel_cause cause) noexcept {
    // If it has settled here, its own scope is below the proxy, and reached by the same walk.
    bool told_by_the_walk = false;
    {
        const std::lock_guard guard(lock_);
        told_by_the_walk = settled_ && &home() == origin;
    }
    if (!told_by_the_walk) {
        cancel_from_elsewhere(cause);
    }
}

void fiber_control::cancel_from_elsewhere(cancel_cause cause) noexcept {
    bool at_home = false;
    {
        const std::lock_guard guard(lock_);  // while it is held the fiber cannot end, nor its home
        if (ended_ || cancelled_ != cancel_cause::none) {
            return;
        }
        cancelled_ = cause;
        if (settled_) {
            at_home = &home() == scheduler::current();
            if (!at_home) {
                retain();
                home().post(cancel_item_);
            }
        }  // else settle_on() finds it
    }
    if (at_home) {
        own_scope.cancel(cause);
    }
}

void fiber_control::deliver_cancel(inbox_item& item) noexcept {
    fiber_control& self = static_cast<fiber_item&>(item).fiber;
    cancel_cause cause = cancel_cause::none;
    {
        const std::lock_guard guard(self.lock_);
        cause = self.ended_ ? cancel_cause::none : self.cancelled_;
    }
    if (cause != cancel_cause::none) {
        self.own_scope.cancel(cause);
    }
    self.release();
}

// --- Travelling --------------------------------------------------------------------------------

void fiber_control::enter_books() noexcept {
    in_books = true;
    travel().proxy.attach_proxy(group != nullptr ? &group->members : &origin->root(), *this);
    if (travel().proxy.effective() != cancel_cause::none) {
        cancel_through_proxy(travel().proxy.effective());
    }
}

cancel_cause fiber_control::settle_on(scheduler& carrier) noexcept {
    cancel_cause cause = cancel_cause::none;
    {
        const std::lock_guard guard(lock_);
        home_.store(&carrier, std::memory_order_relaxed);
        settled_ = true;
        cause = cancelled_;
    }
    // Elsewhere it is a root: only its proxy knows which shields stand between it and a cancelled
    // scope, that of the whole run included, which is told at the origin, too.
    own_scope.attach(origin == &carrier ? &travel().proxy : nullptr, this);
    return cause;
}

void fiber_control::travel_to(scheduler& carrier) noexcept { carrier.post(travel().item); }

void fiber_control::deliver_traveller(inbox_item& item) noexcept {
    fiber_control& self = static_cast<fiber_item&>(item).fiber;
    scheduler::current()->receive(self);
}

void fiber_control::log_failure(const std::exception_ptr& error) const noexcept {
    if (error) {
        log(log_level::error,
            "fiber '" + display_name() + "' ended by an exception: " + describe_exception(error));
    }
}

}  // namespace coir::detail
