// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/detail/phases.hpp>

#include "core/waiter.hpp"
#include "sync/locked_word.hpp"

#include <coir/cancellation.hpp>

#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>

namespace coir::detail {

phases::phases(std::ptrdiff_t expected) : expected_(expected), missing_(expected) {
    if (expected < 0) {
        throw std::invalid_argument("coir::barrier: " + std::to_string(expected) +
                                    " is no number of participants");
    }
}

phases::arrival phases::arrive(std::ptrdiff_t arriving) {
    if (arriving <= 0) {
        throw std::invalid_argument("coir::barrier::arrive(" + std::to_string(arriving) +
                                    "): at least one arrives");
    }
    return count(arriving, 0, "arrive");
}

phases::arrival phases::arrive_and_drop() { return count(1, 1, "arrive_and_drop"); }

phases::arrival phases::count(std::ptrdiff_t arriving, std::ptrdiff_t dropping, const char* call) {
    std::unique_lock guard(phase_);
    const std::ptrdiff_t missing = missing_;
    if (arriving > missing) {
        guard.unlock();
        throw std::system_error(std::make_error_code(std::errc::value_too_large),
                                std::string("coir::barrier::") + call + ": " +
                                    std::to_string(arriving) + " arrive where " +
                                    std::to_string(missing) + " are missing");
    }
    missing_ -= arriving;
    expected_ -= dropping;
    return {phase_.get() >> 1, missing_ == 0};
}

// Nobody arrives between the last arrival and this: nobody is missing.
void phases::end_phase() noexcept {
    const std::lock_guard guard(phase_);
    missing_ = expected_;
    waiting_.unpark_all();
    phase_.set(phase_.get() + 2);
}

void phases::wait_for_end_of(std::uint64_t phase) {
    check_cancelled();
    // A word that is locked (odd) belongs to no phase: the lock is waited for.
    if (const auto found = phase_.peek(); found % 2 == 0 && found >> 1 != phase) {
        spend_budget();
        return;
    }
    std::unique_lock guard(phase_);
    if (phase_.get() >> 1 != phase) {
        return;
    }
    if (waiting_.park(guard, deadline::never(), {"a barrier", -1, true}) ==
        wait_status::cancelled) {
        guard.unlock();
        throw operation_cancelled();
    }
}

void phases::cancellation_point() { check_cancelled(); }

}  // namespace coir::detail
