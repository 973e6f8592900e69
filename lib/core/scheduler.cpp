// SPDX-License-Identifier: BSL-1.0
#include "core/scheduler.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "time/clock.hpp"

#include <coir/detail/single_threaded.hpp>
#include <coir/detail/spin_lock.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace coir::detail {

namespace {

// About as long as it takes a carrier that was asleep to be woken and to answer. Else two of them
// that sleep would go on waking each other.
constexpr std::chrono::microseconds longest_spin{30};

constexpr int looks_between_polls = 8;  // at the inbox, while a carrier spins

}  // namespace

constinit __thread carrier_head* this_threads_carrier = nullptr;
constinit thread_local fiber_control* scheduler::stranded_ = nullptr;
constinit scheduler::park_watcher scheduler::before_park_ = nullptr;
constinit std::atomic<scheduler::carrier_watcher> scheduler::carrier_begins_ = nullptr;
constinit std::atomic<scheduler::carrier_watcher> scheduler::carrier_ends_ = nullptr;

namespace {

constexpr std::chrono::seconds pool_ageing_period{1};

void check_stack_size(std::size_t bytes, const char* knob) {
    if (bytes < stack_pool::minimum_size || bytes > stack_pool::maximum_size) {
        throw std::invalid_argument(
            std::string("coir: ") + knob + ": a stack of " + std::to_string(bytes) +
            " bytes is out of range; the least is " + std::to_string(stack_pool::minimum_size) +
            ", the most " + std::to_string(stack_pool::maximum_size));
    }
}

}  // namespace

scheduler::scheduler(const settings& chosen, idle_source& idle)
    : scheduler(chosen, idle, std::make_unique<carrier_group>(1), nullptr, 0) {}

scheduler::scheduler(const settings& chosen, idle_source& idle, carrier_group& group,
                     std::size_t number)
    : scheduler(chosen, idle, nullptr, &group, number) {}

scheduler::scheduler(const settings& chosen, idle_source& idle,
                     std::unique_ptr<carrier_group> own_group, carrier_group* group,
                     std::size_t number)
    : carrier_head(ticks_between_polls),
      globals_(thread_globals::of_this_thread()),
      loop_time_(now()),
      idle_(idle),
      last_look_(loop_time_),
      timers_(loop_time_),
      stacks_(stack_pool::options{chosen.guard}),
      own_group_(std::move(own_group)),
      carriers_(group != nullptr ? *group : *own_group_),
      number_(number),
      default_stack_size_(chosen.stack_size),
      timer_slack_(chosen.timer_slack),
      next_age_(loop_time_ + pool_ageing_period) {
    check_stack_size(chosen.stack_size, "run_options::stack_size");
    root_.attach(nullptr, nullptr);
    carriers_.enlist(*this, number_);
}

scheduler::~scheduler() {
    COIR_ASSERT(live_ == 0 && all_.empty() && unstarted_.empty(),
                "a scheduler dies with fibers alive");
    root_.detach();
}

// --- Fibers ------------------------------------------------------------------------------------

fiber_blueprint scheduler::create(fiber_options&& options, handle_kind kind, group_state* group,
                                  std::size_t callable_bytes) {
    if (options.stack_size == 0) {
        options.stack_size = default_stack_size_;
    } else {
        check_stack_size(options.stack_size, "fiber_options::stack_size");
    }
    if (group != nullptr && (group->home == nullptr || &group->home->carriers_ != &carriers_)) {
        throw std::system_error(
            std::make_error_code(std::errc::operation_not_permitted),
            "coir: a fiber is spawned in a group that was made outside this run()");
    }
    scheduler& origin = group != nullptr ? *group->home : *this;
    const bool travels = resolve_carrier(options, origin);
    const std::size_t bytes = fiber_control::allocation_size(callable_bytes, travels);
    void* const block = blocks_.allocate(bytes);
    auto* const fiber =
        ::new (block) fiber_control(*this, origin, travels, std::move(options), kind, group, bytes);
    if (!travels) {
        all_.push_back(*fiber);
        count_in();
    } else if (&origin == this) {
        count_in();
        fiber->enter_books();
    }
    return {fiber, fiber->storage()};
}

void scheduler::start(fiber_control& fiber, const callable_type& type) noexcept {
    COIR_ASSERT(fiber.place == fiber_place::unstarted, "a fiber is started twice");
    if (fiber.group != nullptr) {
        fiber.group->fiber_started();
    }
    fiber.callable = &type;
    fiber.parked_since = loop_time_;
    if (!fiber.travels) {
        fiber.place = fiber_place::ready;
        if (fiber.options.eager) {
            begin_at_once(fiber);
        } else {
            ready_.push(fiber);
        }
    } else if (fiber.origin == this) {
        dispatch(fiber);
    } else {
        carriers_.hold();  // until it is in the books
        fiber.travel_to(*fiber.origin);
    }
}

void scheduler::abandon(fiber_control& fiber) noexcept {
    if (!fiber.travels) {
        all_.erase(all_.iterator_to(fiber));
    }
    if (fiber.origin == this) {
        count_out();
    }
    fiber.discard();
}

// What is in the books keeps this carrier from letting go of the group.
void scheduler::count_in() noexcept {
    if (live_++ == 0 && ending_) {
        carriers_.hold();
    }
}

void scheduler::count_out() noexcept {
    if (--live_ == 0 && ending_) {
        carriers_.let_go();
    }
}

void scheduler::make_ready(fiber_control& fiber) noexcept {
    COIR_ASSERT(fiber.place == fiber_place::parked, "a fiber that is not parked is made ready");
    fiber.place = fiber_place::ready;
    ready_.push(fiber);
}

// Gives an unstarted fiber a stack. If there is none to be had, that is the fiber's failure, since
// whoever spawned it went on long ago. The fiber is told on the spare stack: its callable has
// destructors, which may wait, so that they cannot run on somebody else's. False: it has to wait
// for that stack, too.
bool scheduler::bind(fiber_control& fiber) noexcept {
    try {
        give_stack(fiber, stacks_.acquire(fiber.options.stack_size));
        return true;
    } catch (...) {
        fiber.doom(std::current_exception());
    }
    if (!spare_stack_) {
        doomed_.push(fiber);
        return false;
    }
    give_spare_stack(fiber);
    return true;
}

void scheduler::give_spare_stack(fiber_control& fiber) noexcept {
    fiber.on_spare_stack = true;
    give_stack(fiber, std::exchange(spare_stack_, stack()));
}

void scheduler::give_stack(fiber_control& fiber, const stack& s) noexcept {
    wait_timers_.provide_for(stacks_.live() + 1);
    fiber.context.prepare(s, enter, this, globals_);
    fiber.has_context = true;
}

execution_context& scheduler::enter(void* self) noexcept {
    auto& home = *static_cast<scheduler*>(self);
    if (home.ended_ != nullptr) {
        home.let_go_of_ended();
    }
    return home.run_fibers_on_this_stack();
}

// What runs on every stack of ours. A fiber that has ended is followed, without a switch, by the
// next ready one if that has not started yet: it moves in, and a burst of short fibers runs on one
// warm stack.
execution_context& scheduler::run_fibers_on_this_stack() noexcept {
    for (;;) {
        fiber_control& self = running();
        self.place = fiber_place::running;
        self.run();
        if (left_in_child()) {
            end_child(self.failure_in_child());
        }
        end(self);
        fiber_control& next = next_runnable(&self);
        running_ = &next;
        if (next.has_context) {
            ended_ = &self;
            next.place = fiber_place::running;
            return self.context.end_with(next.context, globals_);
        }
        next.context.adopt(self.context);
        next.has_context = true;
        next.on_spare_stack = self.on_spare_stack;
        globals_.clear();
        self.release();
    }
}

// The fiber's body is over; tells everyone. Its control block and stack stay until somebody else
// runs.
void scheduler::end(fiber_control& fiber) noexcept {
    fiber.place = fiber_place::ended;
    fiber.announce_end();
    all_.erase(all_.iterator_to(fiber));
    if (fiber.origin == this) {
        fiber.strike_off();
        count_out();
    } else {
        fiber.retain();
        fiber.travel_to(*fiber.origin);
    }
}

void scheduler::let_go_of_ended() noexcept {
    fiber_control* const fiber = std::exchange(ended_, nullptr);
    if (!fiber->on_spare_stack) {
        stacks_.release(fiber->context.take_stack());
    } else {
        spare_stack_ = fiber->context.take_stack();  // nobody waits for it: see next_runnable()
    }
    fiber->release();
}

// --- Switching ---------------------------------------------------------------------------------

// What next_runnable() comes to nearly always: no look at the poller is due, nobody waits to be
// started, and the first in line has run before. Null: it is not so.
inline fiber_control* scheduler::next_at_once() noexcept {
    if (ticks_ <= 1 || !inbox_.empty() || unstarted_count_.load(std::memory_order_relaxed) != 0 ||
        ready_.empty() || !ready_.front()->has_context) {
        return nullptr;
    }
    --ticks_;
    turns_.store(turns() + 1, std::memory_order_relaxed);
    return ready_.pop();
}

[[gnu::always_inline]] inline void scheduler::switch_between(fiber_control& self,
                                                             fiber_control& next) noexcept {
    running_ = &next;
    next.place = fiber_place::running;
    self.context.switch_to(next.context, globals_);
    // Somebody has made running_ us again. Whoever ran last may have ended.
    if (ended_ != nullptr) {
        let_go_of_ended();
    }
}

// Inlined into the few that stop a fiber: where fibers go on, one call less is one prediction less.
[[gnu::always_inline]] inline void scheduler::switch_away(fiber_control& self) noexcept {
    fiber_control* const at_once = next_at_once();
    fiber_control& next = at_once != nullptr ? *at_once : next_runnable(nullptr);
    if (&next != &self) {
        switch_between(self, next);
    }
    self.place = fiber_place::running;
}

// The spawner lets the new fiber run, as it would a function that it calls, and stands first in
// line meanwhile: nobody waits longer than if it had called one. That counts as a turn, of nobody
// who takes turns.
void scheduler::begin_at_once(fiber_control& fiber) noexcept {
    if (!bind(fiber)) {
        return;
    }
    fiber_control& self = running();
    self.place = fiber_place::ready;
    ready_.push_front(self);
    if (--ticks_ <= 0) {
        poll();  // and the spawner is in front no more
    }
    turns_.store(turns() + 2, std::memory_order_relaxed);
    switch_between(self, fiber);
    self.place = fiber_place::running;
    self.stands_in_front = false;
}

// The next fiber, with a stack to run on; or an unstarted one that fits on the donor's stack.
fiber_control& scheduler::next_runnable(const fiber_control* stack_donor) noexcept {
    const bool spare = stack_donor != nullptr && stack_donor->on_spare_stack;
    for (;;) {
        if (spare) {  // it goes to those that wait for it, and to nobody else
            if (fiber_control* const doomed = doomed_.pop()) {
                return *doomed;
            }
        }
        fiber_control& next = next_ready();
        if (next.has_context ||
            (stack_donor != nullptr && !spare &&
             stack_donor->options.stack_size == next.options.stack_size) ||
            bind(next)) {
            return next;
        }
    }
}

fiber_control& scheduler::next_ready() noexcept {
    if (--ticks_ <= 0) {
        poll();
    } else if (!inbox_.empty()) {
        inbox_.deliver_all();
    }
    fiber_control* next = next_at_hand();
    if (next == nullptr && timers_.has_collected()) {
        fire_collected();
        next = next_at_hand();
    }
    return next != nullptr ? *next : wait_for_ready();
}

// Those that wait to be started take turns with those that run already; neither keeps the other
// out. Who stands in front comes before both, and takes nobody's turn.
fiber_control* scheduler::next_at_hand() noexcept {
    const std::uint32_t turn = turns() + 1;
    turns_.store(turn, std::memory_order_relaxed);
    if (unstarted_count_.load(std::memory_order_relaxed) != 0) {
        if (ready_.is_led_from_front()) {
            turns_.store(turn + 1, std::memory_order_relaxed);
        } else if (turn % 2 != 0 || ready_.empty()) {
            if (fiber_control* const next = take_unstarted()) {
                return next;
            }
        }
    }
    return ready_.pop();
}

// Looks whether anything has become ready, without blocking; who stands in front has had its share
// of the time since the last look, and others come first now. A look at the kernel costs as much as
// some tens of switches, and with poll(2) and thousands of descriptors as thousands. So it may be a
// little old: as old as makes looking a small part of the time.
void scheduler::poll() noexcept {
    ticks_ = ticks_between_polls;
    ready_.those_in_front_go_back();
    if (!inbox_.empty()) {
        inbox_.deliver_all();
    }
    read_clock_and_collect();
    fire_collected();
    if (loop_time_ - last_look_ >= look_is_fresh_for_ ||
        ++polls_without_look_ > most_polls_without_look) {
        const auto before = loop_time_;
        look(deadline::immediately());
        read_clock_and_collect();
        if (ready_.empty()) {
            fire_collected();
        }
        look_is_fresh_for_ = std::clamp<std::chrono::nanoseconds>(
            work_for_a_look * (loop_time_ - before), shortest_fresh_look, longest_fresh_look);
    }
}

void scheduler::look(deadline until) noexcept {
    idle_.wait(until);
    last_look_ = loop_time_;
    polls_without_look_ = 0;
}

fiber_control& scheduler::wait_for_ready() noexcept {
    for (;;) {
        if (!inbox_.empty()) {
            inbox_.deliver_all();
        }
        if (fiber_control* const next = next_at_hand()) {
            return *next;
        }
        if (carriers_.steal_for(*this)) {
            // The odd turn is over: what we took to start it ourselves, nobody else can.
            turns_.store(turns() | 1, std::memory_order_relaxed);
            continue;
        }
        if (carriers_.may_spin() && spin_.wanted() && find_by_spinning()) {
            continue;
        }
        if (!inbox_.try_sleep()) {
            continue;
        }
        const deadline until = timers_.next();
        bool deadlock = false;
        if (carriers_.go_idle(*this)) {
            deadlock =
                until.is_never() && !anybody_outside_can_wake() && carriers_.all_quiet_with(*this);
            if (!deadlock) {
                look(timers_.last_within(timer_slack_));
                ticks_ = ticks_between_polls;
            }
            carriers_.come_back(*this);
        }
        inbox_.awake();
        if (deadlock) {
            carriers_.break_deadlock();
        }
        read_clock_and_collect();
        fire_collected();
        age_pools();
    }
}

// Awake for a little longer, so that who has something for this carrier need not wake it. True:
// there is something to do. Timers and events are not kept waiting meanwhile, but that they come is
// no reason to spin the next time: they would have come as well without.
bool scheduler::find_by_spinning() noexcept {
    const auto until = std::chrono::steady_clock::now() + longest_spin;
    do {
        if (carriers_.anything_unstarted()) {
            spin_.paid();
            return true;
        }
        for (int i = 0; i < looks_between_polls; ++i) {
            pause_while_spinning();
            if (!inbox_.empty()) {  // last thing before the poll, which would deliver it, too
                spin_.paid();
                return true;
            }
        }
        poll();
    } while (ready_.empty() && std::chrono::steady_clock::now() < until);
    spin_.was_in_vain();
    return !ready_.empty();
}

// Where there is but one thread, no other one can.
bool scheduler::anybody_outside_can_wake() const noexcept {
    return waits_woken_by_events_ != 0 || (waits_woken_by_threads_ != 0 && !single_threaded());
}

void scheduler::read_clock_and_collect() noexcept {
    loop_time_ = now();
    if (!timers_.empty()) {
        timers_.collect_due(loop_time_);
    }
}

// Not all at once: who is fired is soon run, so that what was loaded for it is still in the cache,
// and what tells where its stack is in the processor's table of pages. Others that are ready must
// not keep the late ones back for that, so then there are more; but no more than run until the next
// time, or the queue of the ready would never become short again.
void scheduler::fire_collected() noexcept {
    if (timers_.has_collected()) {
        timers_.fire_collected(ready_.empty() ? most_fired : most_fired_among_others,
                               wait_timer::forecast);
    }
}

void scheduler::age_pools() noexcept {
    if (loop_time_ >= next_age_) {
        next_age_ = loop_time_ + pool_ageing_period;
        stacks_.age();
    }
}

void scheduler::yield() noexcept {
    fiber_control& self = running();
    self.place = fiber_place::ready;
    ready_.push(self);
    switch_away(self);
}

// Until `w` was delivered.
[[gnu::always_inline]] inline void scheduler::stop(waiter& w, const wait_label& label,
                                                   cancellable cancel) noexcept {
    fiber_control& self = running();
    // Whoever notifies a shared waiter takes a lock for it: that is a thread, if it is nobody here.
    std::ptrdiff_t& such_waits = w.shared() ? waits_woken_by_threads_ : waits_woken_by_events_;
    such_waits += label.woken_from_outside ? 1 : 0;
    self.label = label;
    self.parked_since = loop_time_;
    self.wait = &w;
    self.wait_cancellable = cancel == cancellable::yes;
    self.place = fiber_place::parked;

    switch_away(self);

    self.wait = nullptr;
    such_waits -= label.woken_from_outside ? 1 : 0;
}

wait_status scheduler::park(waiter& w, deadline until, const wait_label& label,
                            cancellable cancel) noexcept {
    fiber_control& self = running();
    // Whoever cannot claim the waiter here has lost to a thread that is about to post it, and must
    // wait for that: the waiter may not go before it was delivered.
    if (cancel == cancellable::yes && self.innermost->effective() != cancel_cause::none &&
        w.claim(wait_status::cancelled)) {
        return wait_status::cancelled;
    }
    if (has_passed(until) && w.claim(wait_status::timed_out)) {
        spend_budget();
        return wait_status::timed_out;
    }
    if (before_park_ != nullptr) {
        before_park_();
    }
    if (until.is_never()) {
        stop(w, label, cancel);
    } else if (wait_timer* const timer = wait_timers_.take(self)) [[likely]] {
        timers_.arm(*timer, until);
        stop(w, label, cancel);
        timers_.cancel(*timer);
        wait_timers_.put_back(*timer);
    } else {
        stop_with_own_timer(w, until, label, cancel);
    }
    return w.outcome();
}

// There is no room for one among the others.
void scheduler::stop_with_own_timer(waiter& w, deadline until, const wait_label& label,
                                    cancellable cancel) noexcept {
    wait_timer own(running());
    timers_.arm(own, until);
    stop(w, label, cancel);
    timers_.cancel(own);
}

// --- Other threads -----------------------------------------------------------------------------

void scheduler::post(inbox_item& item) noexcept {
    if (inbox_.post_to_awake(item)) {
        return;  // this scheduler may be gone now
    }
    // To wake it we need it. The count keeps it alive until we have left: it is raised while the
    // item still keeps a fiber from ending, hence the group from being over; await_end_of_group
    // waits for its fall.
    posts_in_progress_.fetch_add(1, std::memory_order_relaxed);
    if (inbox_.post(item)) {
        carriers_.disturb();
        idle_.wake();
    }
    posts_in_progress_.fetch_sub(1, std::memory_order_release);
}

}  // namespace coir::detail
