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
    // Says something only if it has to: worlds may run on several threads, Boost.Test may not.
    const auto check = [](const char* what, std::size_t count) {
        if (count != 0) {
            BOOST_ERROR(what << " left over: " << count);
        }
    };
    check("fibers", fibers_.live_fibers());
    check("stacks", fibers_.stacks().live());
    check("timers", fibers_.timers().size());
    check("control blocks", fibers_.blocks().live());
}

}  // namespace coir::test
