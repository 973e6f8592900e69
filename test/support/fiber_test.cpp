// SPDX-License-Identifier: BSL-1.0
#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>

#include <string>
#include <utility>

namespace coir::test {

void jumping_idle_source::wait(deadline until) noexcept {
    if (until == deadline::immediately()) {
        ++looks_;
        return;
    }
    std::unique_lock guard(mutex_);
    if (until.is_never()) {
        changed_.wait(guard, [this] { return woken_; });
    } else if (!woken_) {
        ++jumps_;
        time_.advance_to(until.time());
    }
    woken_ = false;
}

void jumping_idle_source::wake() noexcept {
    // With the mutex held: whoever is woken may end this object's life.
    const std::lock_guard guard(mutex_);
    woken_ = true;
    changed_.notify_one();
}

void fiber_world::run(detail::function_ref body) {
    try {
        fibers_.run_main(body);
    } catch (...) {
        if (fibers_.deadlock_report().empty()) {
            check_nothing_is_left();
            throw;
        }
    }
    if (!fibers_.deadlock_report().empty()) {
        BOOST_FAIL(fibers_.deadlock_report());
    }
    check_nothing_is_left();
}

std::string fiber_world::run_into_deadlock(detail::function_ref body) {
    try {
        fibers_.run_main(body);
    } catch (const operation_cancelled&) {
        // How a deadlock ends the main fiber.
    }
    BOOST_TEST_REQUIRE(!fibers_.deadlock_report().empty(), "there was no deadlock");
    check_nothing_is_left();
    return fibers_.deadlock_report();
}

void fiber_world::check_nothing_is_left() {
    BOOST_TEST(fibers_.live_fibers() == 0U);
    BOOST_TEST(fibers_.stacks().live() == 0U);
    BOOST_TEST(fibers_.timers().size() == 0U);
    BOOST_TEST(fibers_.blocks().live() == 0U);
}

}  // namespace coir::test
