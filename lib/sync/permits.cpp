// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/detail/permits.hpp>

#include "core/waiter.hpp"
#include "sync/locked_word.hpp"

#include <coir/cancellation.hpp>

#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>

namespace coir::detail {

// While there are permits nobody waits, but such as have timed out. So a permit that is there may
// be taken without a look at the line, and one that is released while there are others may be added
// without a look. Only a release into nothing has to look: it takes the lock.
namespace {

using value = locked_word::value;

constexpr value as_value(std::ptrdiff_t permits) noexcept {
    return static_cast<value>(permits) << 1;
}
constexpr std::ptrdiff_t as_count(value v) noexcept { return static_cast<std::ptrdiff_t>(v >> 1); }

std::string limit_text(std::ptrdiff_t most) {
    return " the limit of this coir::counting_semaphore, " + std::to_string(most);
}

void check_room(std::ptrdiff_t count, std::ptrdiff_t available, std::ptrdiff_t most) {
    if (count > most - available) {
        throw std::system_error(std::make_error_code(std::errc::value_too_large),
                                "coir::counting_semaphore::release(" + std::to_string(count) +
                                    ") with " + std::to_string(available) + " available exceeds" +
                                    limit_text(most));
    }
}

}  // namespace

permits::permits(std::ptrdiff_t available, std::ptrdiff_t most) : available_(as_value(available)) {
    if (available < 0 || available > most) {
        throw std::invalid_argument("coir::counting_semaphore: " + std::to_string(available) +
                                    " permits are fewer than 0 or exceed" + limit_text(most));
    }
}

// Takes a permit if there is one and nobody has the word locked.
bool permits::take() noexcept {
    value found = available_.peek(std::memory_order_relaxed);
    while (found % 2 == 0 && found != 0) {
        if (available_.change(found, found - as_value(1), std::memory_order_acquire)) {
            return true;
        }
        found = available_.peek(std::memory_order_relaxed);
    }
    return false;
}

bool permits::try_acquire() noexcept {
    if (take()) {
        return true;
    }
    {
        const std::lock_guard guard(available_);
        if (const value found = available_.get(); found != 0) {
            available_.set(found - as_value(1));
            return true;
        }
    }
    spend_budget();  // for loops around it, as in owned_lock
    return false;
}

bool permits::acquire(deadline until) {
    check_cancelled();
    if (take()) {
        spend_budget();
        return true;
    }
    std::unique_lock guard(available_);
    if (const value found = available_.get(); found != 0) {
        available_.set(found - as_value(1));
        return true;
    }
    switch (waiting_.park(guard, until, {"a semaphore", -1, true})) {
        case wait_status::notified: return true;  // with the permit, which was never available
        case wait_status::timed_out: return false;
        case wait_status::cancelled: break;
    }
    guard.unlock();
    throw operation_cancelled();
}

void permits::release(std::ptrdiff_t count, std::ptrdiff_t most) {
    if (count < 0) {
        throw std::invalid_argument("coir::counting_semaphore::release(" + std::to_string(count) +
                                    "): a number of permits is not negative");
    }
    value found = available_.peek(std::memory_order_relaxed);
    while (found % 2 == 0 && found != 0) {
        check_room(count, as_count(found), most);
        if (available_.change(found, found + as_value(count), std::memory_order_release)) {
            return;  // the semaphore may be gone now
        }
        found = available_.peek(std::memory_order_relaxed);
    }
    std::unique_lock guard(available_);
    const std::ptrdiff_t available = as_count(available_.get());
    if (count > most - available) {
        guard.unlock();
        check_room(count, available, most);
    }
    while (count > 0 && available == 0 && waiting_.unpark_one()) {
        --count;
    }
    available_.set(as_value(available + count));
}

}  // namespace coir::detail
