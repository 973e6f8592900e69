// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/detail/permits.hpp>

#include "base/assert.hpp"
#include "core/waiter.hpp"
#include "sync/locked_word.hpp"
#include "sync/woken_up.hpp"

#include <coir/cancellation.hpp>

#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace coir::detail {

// While there are available_ permits nobody is in line, but such as have timed out, and nobody on
// the way. So one that is there may be taken without a look at the line, and one that is released
// while there are others may be added without a look. Only a release into nothing has to look: it
// takes the lock.
//
// As in owned_lock, a permit is handed to the first in line if that is a fiber of this carrier, and
// any other one is called: there is a permit, in open_, for whoever takes it, until the called one
// is here. If that one finds none left it is late, and the next permit is handed to it before all
// others. With the word unlocked:
//
//   open_ <= called_                  if somebody waits who was not called yet
//   open_ == 0                        if nobody is on the way: they are available_ then
//   available_ == 0                   if somebody is
//   open_ == 0 and available_ == 0    if somebody is late
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

permits::~permits() {
    COIR_ASSERT(called_ == 0, "a semaphore is destroyed while somebody is on the way to a permit");
}

// Takes a permit if one is available and nobody has the word locked.
bool permits::take_at_once() noexcept {
    value found = available_.peek(std::memory_order_relaxed);
    while (found % 2 == 0 && found != 0) {
        if (available_.change(found, found - as_value(1), std::memory_order_acquire)) {
            return true;
        }
        found = available_.peek(std::memory_order_relaxed);
    }
    return false;
}

// With the word locked: takes a permit if there is one.
bool permits::take() noexcept {
    if (open_ != 0) {
        --open_;
        return true;
    }
    if (const value found = available_.get(); found != 0) {
        available_.set(found - as_value(1));
        return true;
    }
    return false;
}

bool permits::try_acquire() noexcept {
    if (take_at_once()) {
        return true;
    }
    {
        const std::lock_guard guard(available_);
        if (take()) {
            return true;
        }
    }
    spend_budget();  // for loops around it, as in owned_lock
    return false;
}

bool permits::acquire(deadline until) {
    check_cancelled();
    if (!take_at_once()) {
        available_.lock();
        if (!take()) {
            return wait(until);
        }
        available_.unlock();
    }
    spend_budget();
    return true;
}

// A place in line, on the stack of whoever waits.
struct permits::place : wait_place, woken_link {
    using wait_place::wait_place;

    bool called = false;  // for a permit that it has to take; else it was handed one
};

// With the word locked, which it unlocks.
bool permits::wait(deadline until) {
    constexpr wait_label what{"a semaphore", -1, true};
    place first(waiting_, available_);
    wait_status status = wait_queue::park_in(first, until, what);
    if (status == wait_status::notified && first.called) {
        available_.lock();
        if (arrive()) {
            available_.unlock();
        } else {
            place again(late_, available_);
            status = wait_queue::park_in(again, until, what);
        }
    }
    if (status == wait_status::cancelled) {
        throw operation_cancelled();
    }
    return status == wait_status::notified;
}

// With the word locked: a called one is here. Takes a permit if there is one.
bool permits::arrive() noexcept {
    const bool taken = take();
    if (--called_ == 0) {
        available_.set(as_value(std::exchange(open_, 0)));
    }
    return taken;
}

// With the word locked: shares out the permits that there are.
void permits::hand_out(std::ptrdiff_t there, woken_up& woken) noexcept {
    const auto wake_up = [&woken](claimed_waiter waiter, bool has_to_take_it) {
        place& its = static_cast<place&>(*waiter.place());
        its.called = has_to_take_it;
        woken.add(its, std::move(waiter));
    };
    while (there != 0 && !late_.empty()) {
        if (claimed_waiter first = late_.claim_one()) {
            --there;
            wake_up(std::move(first), false);
        }
    }
    while (there > called_ && !waiting_.empty()) {
        if (claimed_waiter first = waiting_.claim_one()) {
            const bool handed = first.is_local();
            handed ? --there : ++called_;
            wake_up(std::move(first), !handed);
        }
    }
    open_ = called_ != 0 ? there : 0;
    available_.set(as_value(there - open_));
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
    woken_up woken;
    std::unique_lock guard(available_);
    const std::ptrdiff_t available = as_count(available_.get()) + open_;
    if (count > most - available) {
        guard.unlock();
        check_room(count, available, most);
    }
    hand_out(available + count, woken);
}

}  // namespace coir::detail
