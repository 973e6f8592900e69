// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context/execution_context.hpp"
#include "core/group_state.hpp"
#include "core/inbox.hpp"
#include "core/local_values.hpp"
#include "core/scope.hpp"
#include "core/waiter.hpp"

#include <coir/detail/spin_lock.hpp>
#include <coir/fiber.hpp>
#include <coir/wait_queue.hpp>

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>

namespace coir::detail {

class scheduler;

// Where a fiber stands is its state; it is in exactly one place.
//
//   unstarted --- settle --> ready <----------+
//                              |  ^           | claimed and delivered
//                     switch   v  | yield     |
//                            running --- park ---> parked (in wait queues, perhaps with a timer)
//                              |
//                              v
//                            ended (its stack is let go by whoever runs next)
//
// Unstarted is a fiber that is being made, or stands in the queue of those that any carrier may
// start, or is in the inbox of the carrier that it is to start on.
enum class fiber_place : std::uint8_t { unstarted, ready, running, parked, ended };

// A fiber's control block. One allocation holds it and the callable behind it; the stack comes when
// the fiber first runs. What a switch touches comes first.
//
// A fiber is in the books of one carrier, its *origin*: where it was spawned, or where its group is
// at home. It runs on one carrier, its *home*, which is final once it has settled there. A fiber
// that may settle elsewhere than at its origin is a *traveller*: it has a proxy scope at the
// origin, and when it has ended it returns there, to be struck off the books.
//
// Thread safety: the home thread's, but for what `lock_` guards, what handles do with it, and the
// proxy, which is the origin's. Until it settles it belongs to whoever has taken it out of a queue.
class fiber_control : public fiber_head {
public:
    fiber_control(scheduler& spawner, scheduler& origin, bool travels, fiber_options&& options,
                  handle_kind kind, group_state* group, std::size_t allocated_bytes);
    fiber_control(const fiber_control&) = delete;
    fiber_control& operator=(const fiber_control&) = delete;

    // Hot: what a switch, a park and an unpark touch. Up to where the context says whom it belongs
    // to it is one cache line, as blocks begin with one.
    fiber_control* next_ready = nullptr;  // in the ready queue
    waiter* wait = nullptr;               // while parked: what claims must decide
    fiber_place place = fiber_place::unstarted;
    bool has_context = false;       // it has been given a stack
    bool on_spare_stack = false;    // the scheduler's, for those that got none of their own
    bool wait_cancellable = false;  // of the present wait
    bool stands_in_front = false;   // in the ready queue: since it let a fiber begin at once
    // How many of its waiters live: while any does, queues and timers know of its stack, and no
    // handler of a signal may leave that by a jump. Handlers read it.
    std::atomic<std::uint8_t> waiters{0};
    std::uint16_t passthroughs = 0;  // while there are any its calls of libc are libc's own
    execution_context context;

    // The carrier that it is on: final once it has settled.
    scheduler& home() const noexcept { return *home_.load(std::memory_order_relaxed); }

    // Told to the fiber by a cancelled scope: ends its wait, if that may be ended.
    void interrupt() noexcept;

    // Runs the callable to its end on the calling stack, and destroys it there. What escapes is
    // kept.
    void run() noexcept;

    // Before run(): there is no stack for it. The callable will be told, and not called.
    void doom(std::exception_ptr why) noexcept { failure_ = std::move(why); }

    // After run(): tells whoever waits for the end, but for the group.
    void announce_end() noexcept;

    // At the origin, the last of all: tells the group.
    void strike_off() noexcept;

    // Instead of a life: the callable could not be made.
    void discard() noexcept;

    // Travellers. At the origin: makes the proxy, so that what is cancelled there reaches the
    // fiber.
    void enter_books() noexcept;
    // By the carrier that will run it, for good. @returns why it is cancelled already, if it is.
    cancel_cause settle_on(scheduler& carrier) noexcept;
    // By the proxy.
    void cancel_through_proxy(cancel_cause cause) noexcept;
    // Sends it to a carrier: before it settles, to settle; when it has ended, to be struck off.
    void travel_to(scheduler& carrier) noexcept;

    // Handles. A control block is freed when both its scheduler and its handle have let go.
    // If it may be cancelled it throws: operation_cancelled, std::system_error for a circle.
    void join(cancellable cancel);
    void detach() noexcept;
    std::exception_ptr detach_joined() noexcept;  // hands over what has escaped
    void request_cancel() noexcept;               // any thread
    void retain() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept;  // one owner less

    bool ended_for_handles() noexcept;

    // In a child of fork(2), where nobody else can look, and who holds the lock may be gone.
    const std::exception_ptr& failure_in_child() const noexcept { return failure_; }

    std::string display_name() const;

    void* storage() noexcept;  // the callable's, behind the control block
    static std::size_t allocation_size(std::size_t callable_bytes, bool travels) noexcept;

    // Cold: reports, birth and death.
    const std::uint64_t id;
    scheduler* const origin;
    const bool travels;
    bool in_books = false;  // of the origin; its thread's
    fiber_options options;
    const callable_type* callable = nullptr;
    group_state* const group;
    scope own_scope;
    wait_label label;                                    // of the present wait
    fiber_control* joins = nullptr;                      // whose end it waits for: see join_link
    std::chrono::steady_clock::time_point parked_since;  // as of the scheduler's last clock reading

private:
    // Beside what else a wait touches. Written under lock_, before it settles.
    std::atomic<scheduler*> home_;

public:
    boost::intrusive::list_member_hook<> in_all;
    local_values locals;
    inherited_values inherited = inherited_values::current();  // of whoever spawns

private:
    struct fiber_item : inbox_item {
        fiber_item(fiber_control& f, void (*deliver_function)(inbox_item&) noexcept) noexcept
            : inbox_item(deliver_function), fiber(f) {}
        fiber_control& fiber;
    };

    // What travellers alone need. It stands between the control block and the callable, so that the
    // others, which are all fibers of runs with one carrier, need no room for it.
    struct travel_part {
        explicit travel_part(fiber_control& f) noexcept : item(f, deliver_traveller) {}
        scope proxy;
        fiber_item item;
    };
    travel_part& travel() noexcept;

    static void deliver_cancel(inbox_item& item) noexcept;
    static void deliver_traveller(inbox_item& item) noexcept;
    void cancel_from_elsewhere(cancel_cause cause) noexcept;
    void call() noexcept;
    void fail() noexcept;
    void pass_report_on() noexcept;
    std::exception_ptr let_go() noexcept;
    void log_failure(const std::exception_ptr& error) const noexcept;
    void free() noexcept;

    spin_lock lock_;  // guards what follows, for joins and cancels from other threads
    bool settled_;
    bool ended_ = false;
    bool handle_let_go_;
    cancel_cause cancelled_ =
        cancel_cause::none;  // told from elsewhere, or before it settled; once
    wait_queue joiners_;
    std::exception_ptr failure_;

    std::exception_ptr group_failure_;  // from the end to strike_off()
    std::atomic<std::uint8_t> owners_;
    fiber_item cancel_item_{*this, deliver_cancel};
    const std::size_t allocated_bytes_;
};

}  // namespace coir::detail
