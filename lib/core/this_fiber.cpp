// SPDX-License-Identifier: BSL-1.0
#include <coir/this_fiber.hpp>

#include "base/system_calls.hpp"
#include "core/scheduler.hpp"
#include "core/waiter.hpp"

#include <coir/cancellation.hpp>

namespace coir::this_fiber {

using detail::scheduler;

void yield() {
    scheduler* const home = scheduler::current();
    if (home == nullptr) {
        detail::check_cancelled();
        detail::sys.sched_yield();
        return;
    }
    if (home->running().innermost->effective() != detail::cancel_cause::none) {
        throw operation_cancelled();
    }
    home->yield();
}

void sleep_until(deadline until) {
    // Nobody notifies a sleeper: it is in no queue.
    detail::waiter w(false);
    if (detail::park(w, until, {"sleep"}, cancellable::yes) == wait_status::cancelled) {
        throw operation_cancelled();
    }
}

fiber::id get_id() noexcept {
    scheduler* const home = scheduler::current();
    return home != nullptr ? fiber::id(home->running().id) : fiber::id();
}

std::string name() {
    scheduler* const home = scheduler::current();
    return home != nullptr ? home->running().display_name() : "thread";
}

void check_cancelled() { detail::check_cancelled(); }

}  // namespace coir::this_fiber
