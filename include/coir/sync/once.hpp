// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/sync/detail/locked_word.hpp>
#include <coir/wait_queue.hpp>

#include <functional>
#include <utility>

namespace coir {

/// @brief std::once_flag for fibers and threads: remembers whether call_once() has been done.
///
/// Where a function-local `static` waits for its own initialization, its initializer may not wait
/// for something else in a fiber: that would block the carrier for the next fiber that comes by.
/// call_once() may.
///
/// @suspends call_once() waits while another call with the same flag runs its function.
/// @threadsafety Any thread.
/// @errors std::system_error (resource_deadlock_would_occur) for a call inside its own function.
/// @cancellation call_once() is a cancellation point only if it has to wait for another call: one
/// that runs its function, or finds it done, is none, and costs no more than a load.
/// @order First come, first served: if the function throws, who has waited longest calls theirs.
/// @lifetime The flag outlives the calls. Destroying it under a wait is an error (asserted).
/// @example `test/unit/sync/once.cpp`
class COIR_API once_flag {
public:
    /// A flag of a function that has not been called.
    constexpr once_flag() noexcept = default;
    once_flag(const once_flag&) = delete;
    once_flag& operator=(const once_flag&) = delete;
    ~once_flag() = default;

private:
    // As in std, a flag has nothing to offer but to call_once.
    template <class F, class... Args>
    friend void call_once(once_flag& flag, F&& fn, Args&&... args);

    // Ends the call that the caller has been given: fails it, unless it was done.
    class active_call {
    public:
        explicit active_call(once_flag& flag) noexcept : flag_(flag) {}
        active_call(const active_call&) = delete;
        active_call& operator=(const active_call&) = delete;
        ~active_call() { flag_.end_call(succeeded_); }
        void succeed() noexcept { succeeded_ = true; }

    private:
        once_flag& flag_;
        bool succeeded_ = false;
    };

    static constexpr detail::locked_word::value done = 2;

    bool begin_call();  // whether the caller is to call its function
    void end_call(bool succeeded) noexcept;

    detail::locked_word state_;
    wait_queue waiting_;
};

/// Calls `fn(args...)` unless a call with the same flag has done so; waits for one that does so
/// now. If that one throws, who has waited longest calls its own function.
/// @throws what `fn` throws, operation_cancelled if it had to wait, and std::system_error
/// (resource_deadlock_would_occur) if this very call would have to end first.
template <class F, class... Args>
void call_once(once_flag& flag, F&& fn, Args&&... args) {
    if (flag.state_.peek() == once_flag::done || !flag.begin_call()) {
        return;
    }
    once_flag::active_call call(flag);
    std::invoke(std::forward<F>(fn), std::forward<Args>(args)...);
    call.succeed();
}

}  // namespace coir
