// SPDX-License-Identifier: BSL-1.0
#include "core/guest.hpp"

#include "base/assert.hpp"
#include "core/main_fiber.hpp"

#include <memory>

namespace coir::detail {

struct scheduler::guest::parts {
    explicit parts(scheduler& fibers) : reporter(describe_overflow), main(fibers, "host") {}
    const overflow_reporter reporter;
    main_fiber main;
};

scheduler::guest::guest(scheduler& fibers)
    : fibers_(fibers), parts_(std::make_unique<parts>(fibers)) {
    go_to_sleep();
}

scheduler::guest::~guest() {
    const on_this_thread here(fibers_, parts_->main);
    fibers_.inbox_.awake();
    parts_->main.locals.destroy_all();
    fibers_.carriers_.stop();
    fibers_.await_end_of_group();
}

void scheduler::guest::run_ready() noexcept {
    const on_this_thread here(fibers_, parts_->main);
    fibers_.inbox_.awake();
    for (int round = 0; round < most_rounds; ++round) {
        fibers_.poll();
        if (fibers_.ready_.empty()) {
            go_to_sleep();
            return;
        }
        fibers_.yield();  // everyone who is ready now has a turn, and then the host
    }
    go_to_sleep();
    fibers_.idle_.wake();  // the host has a turn, and then comes back
}

void scheduler::guest::stay(function_ref body) {
    {
        const on_this_thread here(fibers_, parts_->main);
        body();
    }
    if (!fibers_.ready_.empty()) {
        fibers_.idle_.wake();
    }
}

deadline scheduler::guest::next_deadline() const noexcept { return fibers_.timers_.next(); }

std::size_t scheduler::guest::live_fibers() const noexcept { return fibers_.live_; }

// From here on posters wake the idle source. What came before is still there: it wakes us, too.
void scheduler::guest::go_to_sleep() noexcept {
    while (!fibers_.inbox_.try_sleep()) {
        fibers_.inbox_.deliver_all();
    }
    if (!fibers_.ready_.empty()) {
        fibers_.idle_.wake();
    }
}

}  // namespace coir::detail
