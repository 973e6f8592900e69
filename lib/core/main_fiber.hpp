// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/assert.hpp"
#include "core/scheduler.hpp"

#include <utility>

namespace coir::detail {

// The fiber that runs on the carrier thread's own stack. Its control block stands there, too.
struct scheduler::main_fiber : fiber_control {
    main_fiber(scheduler& owner, const char* name)
        : fiber_control(owner, owner, false, fiber_options(name, 0, {}), handle_kind::joinable,
                        nullptr, 0),
          home_(owner) {
        try {
            home_.spare_stack_ = home_.stacks_.acquire(home_.default_stack_size_);
        } catch (...) {
            own_scope.detach();  // as our destructor would, which does not run now
            throw;
        }
        home_.all_.push_back(*this);
        has_context = true;
        place = fiber_place::running;
    }
    ~main_fiber() {
        home_.all_.erase(home_.all_.iterator_to(*this));
        home_.stacks_.release(std::exchange(home_.spare_stack_, stack()));
        own_scope.detach();
    }

private:
    scheduler& home_;
};

// Makes the calling thread the scheduler's, and `main` the fiber that runs.
class scheduler::on_this_thread {
public:
    on_this_thread(scheduler& s, main_fiber& main) noexcept : home_(s) {
        COIR_ASSERT(this_threads_carrier == nullptr, "two schedulers on one thread");
        if (const carrier_watcher begins = carrier_begins_.load(std::memory_order_acquire)) {
            begins(home_);
        }
        home_.blocks_.bind_to_this_thread();
        home_.running_ = &main;
        this_threads_carrier = &home_;
    }
    on_this_thread(const on_this_thread&) = delete;
    on_this_thread& operator=(const on_this_thread&) = delete;
    ~on_this_thread() {
        this_threads_carrier = nullptr;
        home_.running_ = nullptr;
        home_.blocks_.unbind_from_this_thread();
        if (const carrier_watcher ends = carrier_ends_.load(std::memory_order_acquire)) {
            ends(home_);
        }
    }

private:
    scheduler& home_;
};

}  // namespace coir::detail
