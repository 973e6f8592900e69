// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/condition_variable.hpp>

#include "core/waiter.hpp"
#include "sync/locked_word.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <mutex>
#include <system_error>

namespace coir {

namespace {

// What a waiter gives up once it is in line: the line's lock first, as the caller's is a user's
// code.
struct line_and_user {
    detail::locked_word& line;
    const detail::lock_functions& user;

    void unlock() noexcept {
        line.unlock();
        user.unlock(user.object);
    }
};

}  // namespace

// Notifying nobody is the common case, and takes the lock all the same: a look from outside would
// have to be ordered against a waiter that is just getting in line, and costs as much.
void condition_variable::notify_one() noexcept {
    const std::lock_guard guard(state_);
    waiting_.unpark_one();
}

void condition_variable::notify_all() noexcept {
    const std::lock_guard guard(state_);
    waiting_.unpark_all();
}

// In a place, and not by park(): nothing of the condition variable may be touched after a
// notification, since whoever has notified everybody may have destroyed it.
//
// Whoever notifies us between the unlocking and the parking finds a waiter that is not parked yet,
// which is what a delivery can stand. But a lock whose unlock() waited would park this fiber twice.
bool condition_variable::wait_erased(const detail::lock_functions& lock, deadline until) {
    detail::check_cancelled();
    wait_place place(waiting_, state_);
    wait_place* const places[] = {&place};
    line_and_user held{state_, lock};
    state_.lock();
    const wait_status status =
        wait_queue::park_in_all(places, 1, held, until, {"a condition variable", -1, true});
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
