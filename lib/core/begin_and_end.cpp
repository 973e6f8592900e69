// SPDX-License-Identifier: BSL-1.0
#include "core/scheduler.hpp"

#include "core/main_fiber.hpp"

#include <coir/detail/spin_lock.hpp>

#include <cstdlib>
#include <exception>

// How a run begins on a carrier, and how it ends on all of them.
namespace coir::detail {

// The deadline of the scopes that the thread was in when it became a carrier.
struct scheduler::outer_deadline : timer {
    explicit outer_deadline(scheduler& s) noexcept : timer(expire), home(s) {
        scope* const outer = innermost_scope();
        if (outer == nullptr) {
            return;
        }
        const deadline until = outer->refresh();
        if (outer->effective() != cancel_cause::none) {
            home.root_.cancel(outer->effective());  // at once
            home.carriers_.cancel_all(outer->effective());
        } else {
            home.timers_.arm(*this, until);
        }
    }
    ~outer_deadline() {
        home.timers_.cancel(*this);
        // A libc-shaped call that met that deadline has told its carrier's root of it: hand it on
        // to the scope whose deadline it was, which learns of it as long as this clock is the one.
        if (reported_to_a_root()) {
            if (scope* const outer = innermost_scope()) {
                outer->refresh();
                if (scope* const whose = outer->target()) {
                    whose->mark_reported();
                }
            }
        }
    }

    static void expire(timer& t) noexcept {
        static_cast<outer_deadline&>(t).home.carriers_.cancel_all(cancel_cause::deadline);
    }

    // All carriers are there yet, and have no fiber any more.
    bool reported_to_a_root() const noexcept {
        for (std::size_t i = 0; i < home.carriers_.size(); ++i) {
            const scope& root = home.carriers_[i].root_;
            if (root.own() == cancel_cause::deadline && root.reported()) {
                return true;
            }
        }
        return false;
    }

    scheduler& home;
};

void scheduler::run_main(function_ref body) {
    const outer_deadline outer(*this);
    const overflow_reporter reporter(describe_overflow);
    main_fiber main(*this, "main");  // last of what may throw
    const on_this_thread here(*this, main);
    std::exception_ptr failure;
    try {
        body();
    } catch (...) {
        failure = std::current_exception();
    }
    main.locals.destroy_all();
    if (left_in_child()) {
        end_child(failure);
    }
    carriers_.stop();
    await_end_of_group();
    if (failure) {
        std::rethrow_exception(failure);
    }
}

void scheduler::run_along(const std::function<bool()>& wait_for_start) {
    const overflow_reporter reporter(describe_overflow);
    main_fiber main(*this, "carrier");
    const on_this_thread here(*this, main);
    if (wait_for_start()) {
        await_end_of_group();
    }
}

bool scheduler::describe_overflow(const void* address, overflow_description& out) noexcept {
    // In a signal handler: only reads what the faulting thread itself has written.
    if (calling_fiber() == nullptr) {
        return false;
    }
    const fiber_control& fiber = *calling_fiber();
    if (!fiber.context.current_stack().guard_contains(address)) {
        return false;
    }
    out.fiber_name = fiber.options.name.c_str();
    out.stack_size_bytes = fiber.options.stack_size;
    return true;
}

void scheduler::await_end_of_group() noexcept {
    while (!over_) {
        all_over_.park(deadline::never(), {"the end of all fibers"}, cancellable::no);
    }
    // A thread that has unparked one of our fibers may still be on its way out of post().
    while (posts_in_progress_.load(std::memory_order_acquire) != 0) {
        pause_while_spinning();
    }
    inbox_.deliver_all();
}

void scheduler::leave_in_child() noexcept {
    if (scheduler* const left = current()) {
        stranded_ = left->running_or_null();
        left->blocks_.unbind_from_this_thread();
        this_threads_carrier = nullptr;
    }
}

// What comes after the fiber's own code is not for a child: other fibers would run in it. An
// exception goes where a thread's goes, and without one it is as in pthread_exit(3): the process
// whose last thread has ended exits with status 0.
void scheduler::end_child(const std::exception_ptr& escaped) noexcept {
    if (escaped) {
        std::rethrow_exception(escaped);
    }
    std::exit(EXIT_SUCCESS);
}

void scheduler::begin_end() noexcept {
    root_.cancel(cancel_cause::requested);
    ending_ = true;
    if (live_ == 0) {
        carriers_.let_go();
    }
}

scheduler::calls_of_the_group::calls_of_the_group(scheduler& s) noexcept
    : work(s,
           [](inbox_item& item) noexcept {
               const scheduler& self = static_cast<call&>(item).carrier;
               self.carriers_.call_arrived(self);
           }),
      report(s,
             [](inbox_item& item) noexcept {
                 const scheduler& self = static_cast<call&>(item).carrier;
                 self.carriers_.contribute(self);
             }),
      give_up(s,
              [](inbox_item& item) noexcept {
                  static_cast<call&>(item).carrier.root_.cancel(cancel_cause::requested);
              }),
      cancel(s,
             [](inbox_item& item) noexcept {
                 scheduler& self = static_cast<call&>(item).carrier;
                 self.root_.cancel(self.carriers_.cause());
             }),
      stop(s, [](inbox_item& item) noexcept { static_cast<call&>(item).carrier.begin_end(); }),
      over(s, [](inbox_item& item) noexcept {
          scheduler& self = static_cast<call&>(item).carrier;
          self.over_ = true;
          self.all_over_.unpark_all();
      }) {}

}  // namespace coir::detail
