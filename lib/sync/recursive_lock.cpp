// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/detail/recursive_lock.hpp>

#include "sync/misuse.hpp"

#include <limits>

namespace coir::detail {

// Pre: the caller holds the lock. False: it does so more often than can be counted.
bool recursive_lock::lock_again() noexcept {
    if (times_ == std::numeric_limits<std::uint32_t>::max()) {
        return false;
    }
    ++times_;
    return true;
}

void recursive_lock::lock(const char* type) { lock_until(deadline::never(), type); }

bool recursive_lock::try_lock() noexcept {
    if (lock_.held_by_caller()) {
        return lock_again();
    }
    if (!lock_.try_lock()) {
        return false;
    }
    times_ = 1;
    return true;
}

bool recursive_lock::lock_until(deadline until, const char* type) {
    if (lock_.held_by_caller()) {
        if (!lock_again()) {
            throw_too_deep(type);
        }
        return true;
    }
    if (!lock_.lock_until(until, type)) {
        return false;
    }
    times_ = 1;
    return true;
}

void recursive_lock::unlock(const char* type) {
    if (!lock_.held_by_caller()) {
        throw_does_not_hold_it(type);
    }
    if (--times_ == 0) {
        lock_.unlock(type);
    }
}

}  // namespace coir::detail
