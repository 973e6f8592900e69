// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/latch.hpp>

#include "core/waiter.hpp"
#include "sync/locked_word.hpp"

#include <coir/cancellation.hpp>

#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>

namespace coir {

namespace {

using value = detail::locked_word::value;

value checked(std::ptrdiff_t expected) {
    if (expected < 0) {
        throw std::invalid_argument("coir::latch: a count of " + std::to_string(expected) +
                                    " is negative");
    }
    return static_cast<value>(expected) << 1;
}

[[noreturn]] void throw_too_many(std::ptrdiff_t count, value left) {
    throw std::system_error(std::make_error_code(std::errc::value_too_large),
                            "coir::latch::count_down(" + std::to_string(count) + ") with " +
                                std::to_string(left >> 1) + " left to count");
}

}  // namespace

latch::latch(std::ptrdiff_t expected) : left_(checked(expected)) {}

void latch::count_down(std::ptrdiff_t count) {
    const value by = checked(count);
    value found = left_.peek(std::memory_order_relaxed);
    while (found % 2 == 0 && found > by) {  // not the last: nobody is to be woken
        if (left_.change(found, found - by, std::memory_order_release)) {
            return;  // the latch may be gone now
        }
        found = left_.peek(std::memory_order_relaxed);
    }
    std::unique_lock guard(left_);
    found = left_.get();
    if (by > found) {
        guard.unlock();
        throw_too_many(count, found);
    }
    left_.set(found - by);
    if (found == by) {
        waiting_.unpark_all();
    }
}

bool latch::try_wait() const noexcept {
    const value found = left_.peek();
    if (found % 2 == 0) {
        return found == 0;
    }
    // Perhaps by who counts it down: see event::pass().
    const std::lock_guard guard(left_);
    return left_.get() == 0;
}

bool latch::wait_until(deadline until) const {
    detail::check_cancelled();
    if (left_.peek() == 0) {
        detail::spend_budget();
        return true;
    }
    std::unique_lock guard(left_);
    if (left_.get() == 0) {
        return true;
    }
    switch (waiting_.park(guard, until, {"a latch", -1, true})) {
        case wait_status::notified: return true;
        case wait_status::timed_out: return false;
        case wait_status::cancelled: break;
    }
    guard.unlock();
    throw operation_cancelled();
}

void latch::arrive_and_wait(std::ptrdiff_t count) {
    detail::check_cancelled();
    count_down(count);
    wait();
}

}  // namespace coir
