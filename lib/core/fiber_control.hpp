// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/spin_lock.hpp"
#include "context/execution_context.hpp"
#include "core/group_state.hpp"
#include "core/inbox.hpp"
#include "core/scope.hpp"
#include "core/waiter.hpp"

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
//   unstarted --- start ---> ready <----------+
//                              |  ^           | claimed and delivered
//                     switch   v  | yield     |
//                            running --- park ---> parked (in wait queues, perhaps with a timer)
//                              |
//                              v
//                            ended (its stack is let go by whoever runs next)
enum class fiber_place : std::uint8_t { unstarted, ready, running, parked, ended };

// A fiber's control block. One allocation holds it and the callable behind it; the stack comes when
// the fiber first runs. What a switch touches comes first.
//
// Thread safety: the home thread's, but for what `lock` guards and what handles do with it.
class fiber_control {
public:
    fiber_control(scheduler& owner, fiber_options&& options, handle_kind kind, group_state* group,
                  std::size_t allocated_bytes);
    fiber_control(const fiber_control&) = delete;
    fiber_control& operator=(const fiber_control&) = delete;

    // Hot: what a switch, a park and an unpark touch.
    fiber_control* next_ready = nullptr;  // in the ready queue
    execution_context context;
    waiter* wait = nullptr;  // while parked: what claims must decide
    scope* innermost;        // never null; what cancellation points look at
    scheduler* const home;
    fiber_place place = fiber_place::unstarted;
    bool has_context = false;       // it has been given a stack
    bool on_spare_stack = false;    // the scheduler's, for those that got none of their own
    bool wait_cancellable = false;  // of the present wait

    // Told to the fiber by a cancelled scope: ends its wait, if that may be ended.
    void interrupt() noexcept;

    // Runs the callable to its end on the calling stack, and destroys it there. What escapes is
    // kept.
    void run() noexcept;

    // Before run(): there is no stack for it. The callable will be told, and not called.
    void doom(std::exception_ptr why) noexcept { failure_ = std::move(why); }

    // After run(): tells whoever waits for the end.
    void announce_end() noexcept;

    // Instead of a life: the callable could not be made.
    void discard() noexcept;

    // Handles. A control block is freed when both its scheduler and its handle have let go.
    void join(cancellable cancel);  // throws operation_cancelled; rethrows what escaped
    void detach() noexcept;
    void request_cancel() noexcept;  // any thread
    void release() noexcept;         // one owner less

    bool ended_for_handles() noexcept;
    std::exception_ptr take_failure() noexcept;

    std::string display_name() const;

    void* storage() noexcept;  // the callable's, right behind the control block
    static std::size_t allocation_size(std::size_t callable_bytes) noexcept;

    // Cold: reports, birth and death.
    const std::uint64_t id;
    fiber_options options;
    const callable_type* callable = nullptr;
    group_state* const group;
    scope own_scope;
    wait_label label;                                    // of the present wait
    std::chrono::steady_clock::time_point parked_since;  // as of the scheduler's last clock reading
    boost::intrusive::list_member_hook<> in_all;

private:
    struct cancel_item : inbox_item {
        explicit cancel_item(fiber_control& f) noexcept : inbox_item(deliver_cancel), fiber(f) {}
        fiber_control& fiber;
    };

    static void deliver_cancel(inbox_item& item) noexcept;
    void call() noexcept;
    void fail() noexcept;
    void log_failure(const std::exception_ptr& error) const noexcept;
    void free() noexcept;

    spin_lock lock_;  // guards what follows, for joins and cancels from other threads
    bool ended_ = false;
    bool handle_let_go_;
    wait_queue joiners_;
    std::exception_ptr failure_;

    std::atomic<std::uint8_t> owners_;
    std::atomic<bool> cancel_posted_{false};
    cancel_item cancel_item_{*this};
    const std::size_t allocated_bytes_;
};

}  // namespace coir::detail
