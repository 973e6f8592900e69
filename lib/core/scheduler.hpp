// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context/block_pool.hpp"
#include "context/overflow.hpp"
#include "context/stack_pool.hpp"
#include "context/thread_globals.hpp"
#include "core/carrier_group.hpp"
#include "core/fiber_control.hpp"
#include "core/idle_source.hpp"
#include "core/idle_spin.hpp"
#include "core/inbox.hpp"
#include "core/ready_queue.hpp"
#include "core/signal_line.hpp"
#include "core/wait_timer.hpp"
#include "core/waiter.hpp"
#include "time/timer_queue.hpp"

#include <coir/detail/function_ref.hpp>
#include <coir/detail/spin_lock.hpp>
#include <coir/run_options.hpp>

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace coir::detail {

// Decides which fiber of a carrier thread runs. There is no loop of its own and no context to run
// one on: whoever stops running picks the next fiber and switches straight to it,
//
//     main -> A -> B -> A -> main      and never      main -> loop -> A -> loop -> B -> ...
//
// and if nobody is ready, it waits in the idle source on its own stack; if it was itself that
// became ready it goes on with no switch at all. doc/loop_iteration.md has the steps.
//
// Where a run has several carriers, each has a scheduler; doc/carriers.md tells how they work
// together.
//
// Used by its own thread, but for what is said to be for others.
class scheduler : public carrier_head {
public:
    class guest;  // drives it from a foreign event loop

    struct settings {
        std::size_t stack_size = stack_pool::default_size;
        guard_kind guard = guard_kind::automatic;
        std::chrono::nanoseconds timer_slack{0};  // run_options::timer_slack
    };

    // One of several carriers, or the only one.
    scheduler(const settings& chosen, idle_source& idle, carrier_group& group, std::size_t number);
    scheduler(const settings& chosen, idle_source& idle);
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;
    ~scheduler();

    // The calling carrier's; null on a plain thread.
    static scheduler* current() noexcept { return static_cast<scheduler*>(this_threads_carrier); }

    // The fiber whose code calls; null on a plain thread. In the child of a fork(2) it may be one
    // that no scheduler runs any more: see leave_in_child().
    static fiber_control* calling_fiber() noexcept {
        scheduler* const home = current();
        return home != nullptr ? home->running_or_null() : stranded_;
    }

    // In the child of a fork(2): of the threads there is the calling one alone, and the fibers are
    // the parent's, with its reactor. Who called goes on as on a plain thread, though he stands on
    // a fiber's stack and has that one's values; and comes to his end as the last thread of a
    // process does. Async-signal-safe.
    static void leave_in_child() noexcept;

    // Runs `body` as the main fiber, on the calling thread's own stack. When it has ended, what
    // still runs, on any carrier, is cancelled and awaited. Rethrows what escapes body, when all
    // have ended.
    void run_main(function_ref body);

    // Runs fibers, on the calling thread, until run_main() of another carrier has ended all. Calls
    // `wait_for_start` when all that may throw has been done; false calls the run off.
    void run_along(const std::function<bool()>& wait_for_start);

    // What was reported if run_main ended by a deadlock, else empty.
    const std::string& deadlock_report() const noexcept { return carriers_.deadlock_report(); }

    // Carriers.
    carrier_group& carriers() noexcept { return carriers_; }
    std::size_t number() const noexcept { return number_; }
    // Before that the others do not end.
    bool holds_the_group() const noexcept { return !ending_ || live_ != 0; }
    // Any thread: whether the calling carrier is of the same group.
    static bool shares_carriers_with(const scheduler& other) noexcept {
        return current() != nullptr && &current()->carriers_ == &other.carriers_;
    }

    // Fibers.
    fiber_control& running() noexcept { return static_cast<fiber_control&>(*running_); }
    fiber_control* running_or_null() noexcept {
        return static_cast<fiber_control*>(running_);
    }  // null before the main fiber runs
    fiber_blueprint create(fiber_options&& options, handle_kind kind, group_state* group,
                           std::size_t callable_bytes);
    void start(fiber_control& fiber, const callable_type& type) noexcept;
    void abandon(fiber_control& fiber) noexcept;
    void make_ready(fiber_control& fiber) noexcept;
    void receive(fiber_control& traveller) noexcept;  // from the inbox
    scope& root() noexcept { return root_; }
    std::size_t live_fibers() const noexcept { return live_; }
    std::string describe_fibers() const;

    // Waiting.
    using park_watcher = void (*)() noexcept;
    wait_status park(waiter& w, deadline until, const wait_label& label,
                     cancellable cancel) noexcept;
    static void call_before_parks(park_watcher fn) noexcept { before_park_ = fn; }
    void yield() noexcept;
    // Whether somebody else runs at once if the calling fiber parks.
    bool anyone_ready() const noexcept { return !ready_.empty(); }

    void spend_budget() noexcept {
        if (--ticks_ <= 0) {
            yield();
        }
    }
    timer_queue& timers() noexcept { return timers_; }
    wait_timer_store& wait_timers() noexcept { return wait_timers_; }
    signal_line& signals() noexcept { return signals_; }

    // As long as another thread may hold what could end any wait, no silence is a deadlock.
    void threads_can_cancel(bool can) noexcept { waits_woken_by_threads_ += can ? 1 : -1; }

    // Whether a deadline has certainly passed, without a look at the clock; its timer tells the
    // rest.
    bool has_passed(deadline until) const noexcept { return until.time() <= loop_time_; }

    // Any thread, for as long as something that the item is about keeps a fiber from ending.
    void post(inbox_item& item) noexcept;
    void deliver_inbox() noexcept { inbox_.deliver_all(); }

    // Other carriers: fibers that any of them may start.
    bool has_unstarted() const noexcept {
        return unstarted_count_.load(std::memory_order_seq_cst) != 0;
    }
    bool give_unstarted_to(scheduler& thief) noexcept;  // false if there are none any more
    bool inbox_asleep() const noexcept { return inbox_.is_asleep(); }

    // Whether the carrier gets on: any thread, from its `begin` to its `end`, which are called on
    // the carrier while it is a plain thread. Null: none.
    std::uint32_t turns() const noexcept { return turns_.load(std::memory_order_relaxed); }
    using carrier_watcher = void (*)(const scheduler&) noexcept;
    static void call_for_carriers(carrier_watcher begin, carrier_watcher end) noexcept {
        carrier_ends_.store(end, std::memory_order_release);
        carrier_begins_.store(begin, std::memory_order_release);
    }

    // What the group has to say to a carrier: posted one at a time each.
    struct call : inbox_item {
        call(scheduler& s, void (*deliver_function)(inbox_item&) noexcept) noexcept
            : inbox_item(deliver_function), carrier(s) {}
        scheduler& carrier;
    };
    struct calls_of_the_group {
        explicit calls_of_the_group(scheduler& s) noexcept;
        call work;     // look for unstarted fibers
        call report;   // contribute to the report of a deadlock
        call give_up;  // cancel all fibers: they are in a deadlock
        call cancel;   // cancel all fibers, for the group's cause()
        call stop;     // cancel all fibers, and let go of the group when none is left
        call over;     // every carrier has let go
    };
    calls_of_the_group& calls() noexcept { return calls_; }

    // For teardown checks.
    const stack_pool& stacks() const noexcept { return stacks_; }
    block_pool& blocks() noexcept { return blocks_; }

private:
    // How many switches, and calls that did not need to wait, there are between two looks at the
    // poller, the inbox and the timers. What is ready must not keep out what becomes ready.
    static constexpr int ticks_between_polls = 128;

    // A look at the kernel that is less than some time old will do: so many times as long as the
    // last one took, within limits. But not for more than so many polls in a row: there is one look
    // in 512 switches.
    static constexpr int work_for_a_look = 32;
    static constexpr std::chrono::microseconds shortest_fresh_look{10};
    static constexpr std::chrono::microseconds longest_fresh_look{1000};
    static constexpr int most_polls_without_look = 3;

    // How many timers are fired at once, when nobody else is ready and when somebody is.
    static constexpr std::size_t most_fired = 16;
    static constexpr std::size_t most_fired_among_others = ticks_between_polls / 2;

    // The most unstarted fibers that are stolen at once.
    static constexpr std::size_t most_stolen = 32;

    struct main_fiber;
    struct outer_deadline;
    class on_this_thread;

    scheduler(const settings& chosen, idle_source& idle, std::unique_ptr<carrier_group> own_group,
              carrier_group* group, std::size_t number);

    void begin_end() noexcept;
    bool resolve_carrier(fiber_options& options, const scheduler& origin);
    void begin_at_once(fiber_control& fiber) noexcept;
    void dispatch(fiber_control& fiber) noexcept;
    void settle(fiber_control& fiber) noexcept;
    void offer(fiber_control& fiber) noexcept;
    void count_in() noexcept;
    void count_out() noexcept;
    fiber_control* take_unstarted() noexcept;
    fiber_control* next_at_hand() noexcept;
    void switch_between(fiber_control& self, fiber_control& next) noexcept;
    void switch_away(fiber_control& self) noexcept;
    fiber_control* next_at_once() noexcept;
    void stop(waiter& w, const wait_label& label, cancellable cancel) noexcept;
    void stop_with_own_timer(waiter& w, deadline until, const wait_label& label,
                             cancellable cancel) noexcept;
    fiber_control& next_runnable(const fiber_control* stack_donor) noexcept;
    fiber_control& next_ready() noexcept;
    fiber_control& wait_for_ready() noexcept;
    bool find_by_spinning() noexcept;
    void poll() noexcept;
    void look(deadline until) noexcept;
    bool anybody_outside_can_wake() const noexcept;
    void read_clock_and_collect() noexcept;
    void fire_collected() noexcept;
    bool bind(fiber_control& fiber) noexcept;
    void give_stack(fiber_control& fiber, const stack& s) noexcept;
    void give_spare_stack(fiber_control& fiber) noexcept;
    void arrive(fiber_control& self) noexcept;
    void let_go_of_ended() noexcept;
    void end(fiber_control& fiber) noexcept;
    execution_context& run_fibers_on_this_stack() noexcept;
    bool left_in_child() const noexcept { return current() != this; }
    [[noreturn]] static void end_child(const std::exception_ptr& escaped) noexcept;
    static execution_context& enter(void* self) noexcept;
    void await_end_of_group() noexcept;
    void age_pools() noexcept;
    static bool describe_overflow(const void* address, overflow_description& out) noexcept;

    static constinit thread_local fiber_control* stranded_ [[gnu::tls_model("initial-exec")]];
    static park_watcher before_park_;  // null: none. Written before all threads
    static std::atomic<carrier_watcher> carrier_begins_;
    static std::atomic<carrier_watcher> carrier_ends_;

    // Hot: what a switch touches.
    ready_queue ready_;
    // How often the next fiber was looked for; an odd turn is that of the unstarted ones, if there
    // are both. Written by the carrier alone. An atomic for others who look whether it gets on.
    std::atomic<std::uint32_t> turns_{0};
    fiber_control* ended_ =
        nullptr;  // has left by its last switch; its stack is still to be let go
    thread_globals globals_;
    std::chrono::steady_clock::time_point loop_time_;  // the clock, when it was last read

    idle_source& idle_;
    std::chrono::steady_clock::time_point last_look_;  // at the poller: loop_time_ then, or earlier
    int polls_without_look_ = 0;                       // since
    idle_spin spin_;
    std::chrono::nanoseconds look_is_fresh_for_ = shortest_fresh_look;
    timer_queue timers_;
    wait_timer_store wait_timers_;
    stack_pool stacks_;
    block_pool blocks_;
    stack spare_stack_;   // for fibers that get none of their own; empty while one uses it
    ready_queue doomed_;  // such fibers, waiting for it
    signal_line signals_{*this};

    const std::unique_ptr<carrier_group> own_group_;  // of one, where none was given
    carrier_group& carriers_;
    const std::size_t number_;  // in the group
    calls_of_the_group calls_{*this};

    scope root_;
    wait_queue all_over_;   // where the main fiber waits for the end of the group
    bool ending_ = false;   // this carrier has been told to stop
    bool over_ = false;     // every carrier has let go of the group
    std::size_t live_ = 0;  // fibers in the books but for the main one, unstarted ones included
    std::ptrdiff_t waits_woken_by_threads_ = 0;  // and by nothing else outside
    std::ptrdiff_t waits_woken_by_events_ = 0;   // by the kernel, or whatever else a carrier asks
    boost::intrusive::list<fiber_control, boost::intrusive::member_hook<
                                              fiber_control, boost::intrusive::list_member_hook<>,
                                              &fiber_control::in_all>>
        all_;
    const std::size_t default_stack_size_;
    const std::chrono::nanoseconds timer_slack_;
    std::chrono::steady_clock::time_point next_age_;

    // What other threads look at or write lies apart from what is the carrier's own.
    alignas(64) spin_lock unstarted_lock_;         // guards what follows
    ready_queue unstarted_;                        // fibers that any carrier may start
    std::atomic<std::size_t> unstarted_count_{0};  // also looked at without the lock

    alignas(64) inbox inbox_;
    std::atomic<int> posts_in_progress_{0};  // that may have to wake this carrier
};

}  // namespace coir::detail
