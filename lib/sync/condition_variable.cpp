// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/condition_variable.hpp>

#include "base/assert.hpp"
#include "core/waiter.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <mutex>
#include <system_error>

namespace coir {

using detail::wait_node;
using detail::waiter;

condition_variable::~condition_variable() {
    COIR_ASSERT(waiting_.next == &waiting_,
                "a condition variable is destroyed while somebody waits for it");
}

// Notifying nobody is the common case, and takes the lock all the same: a look from outside would
// have to be ordered against a waiter that is just getting in line, and costs as much.
void condition_variable::notify_one() noexcept {
    const std::lock_guard guard(state_);
    detail::unpark_one(waiting_);
}

void condition_variable::notify_all() noexcept {
    const std::lock_guard guard(state_);
    detail::unpark_all(waiting_);
}

// This is wait_queue::park() taken apart, for the sake of what comes after a notification: nothing
// of the condition variable may be touched then, since whoever has notified everybody may have
// destroyed it. The notifier has taken our node out of the line, so there is no need.
//
// The caller's lock is given up when we are in line, and with the line's own lock released: it is a
// user's code. Whoever notifies us from then on finds a waiter that is not parked yet, which is
// what a delivery can stand; but a lock whose unlock() waited would park this fiber twice.
bool condition_variable::wait_erased(const lock_functions& lock, deadline until) {
    detail::check_cancelled();
    waiter w(true);
    wait_node node(w);
    {
        const std::lock_guard guard(state_);
        node.link_before(waiting_);
    }
    [&]() noexcept {
        lock.unlock(lock.object);
    }();
    const wait_status status =
        detail::park(w, until, {"a condition variable", -1, true}, cancellable::yes);
    if (status != wait_status::notified) {
        const std::lock_guard guard(state_);
        if (node.linked()) {
            node.unlink();
        }
    }
    lock.lock(lock.object);
    if (status == wait_status::cancelled) {
        throw operation_cancelled();
    }
    return status == wait_status::notified;
}

// Before a predicate that may hold already. It spends nothing of the fiber's budget, as other calls
// that need not wait do: to yield with the caller's lock held would let the next fiber block the
// whole carrier, if that lock is a std::mutex.
void condition_variable::cancellation_point() { detail::check_cancelled(); }

void condition_variable::refuse() {
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "coir::condition_variable: '" + this_fiber::name() +
                                "' waits with a lock that it does not hold");
}

}  // namespace coir
