// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/async.hpp>
#include <coir/detail/call_signature.hpp>
#include <coir/detail/future_state.hpp>
#include <coir/detail/task.hpp>

#include <functional>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief A function whose result goes to a future: `packaged_task<R(Args...)>`.
template <class Signature>
class packaged_task;

/// @brief std::packaged_task for fibers and threads: a function whose result, or exception, goes to
/// a future, whoever calls it and wherever.
///
/// It is for programs that have queues of work of their own: who puts a task into one keeps the
/// future, and who takes it out calls it. Where a fiber is to be spawned for it, async() does both.
///
/// std's `make_ready_at_thread_exit()` is left out. A carrier's thread goes on long after a fiber
/// of it has ended, and does not end before those of its fibers that wait for the result.
///
/// @suspends Nothing, but for what the function does.
/// @threadsafety Any thread may call a task that another one has made: one thread at a time uses an
/// object. The future's calls are safe against it.
/// @errors std::future_error as in std: no_state, future_already_retrieved,
/// promise_already_satisfied.
/// @cancellation If a call ends by a cancellation of its caller, the future throws task_cancelled,
/// and operation_cancelled goes on. future::cancel() does nothing: no fiber belongs to the task.
/// @lifetime A task that goes, or is reset, without having been called leaves its future a
/// broken_promise. The function lives as long as the task.
/// @example `test/unit/sync/packaged_task.cpp`
template <class R, class... Args>
class packaged_task<R(Args...)> {
public:
    /// A task without state.
    packaged_task() noexcept = default;

    /// Makes a task of `fn`, which is moved or copied into it and need not be copyable.
    template <class F,
              class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, packaged_task> &&
                                       std::is_invocable_r_v<R, std::decay_t<F>&, Args...>>>
    explicit packaged_task(F&& fn)
        : fn_(std::make_unique<function_of<std::decay_t<F>>>(std::forward<F>(fn))),
          state_(detail::future_ref<R>::make()) {}

    /// Takes function and state over.
    packaged_task(packaged_task&&) noexcept = default;
    /// Takes function and state over; breaks the promise that was there.
    packaged_task& operator=(packaged_task&& other) noexcept {
        packaged_task(std::move(other)).swap(*this);
        return *this;
    }
    packaged_task(const packaged_task&) = delete;
    packaged_task& operator=(const packaged_task&) = delete;
    ~packaged_task() {
        if (state_) {
            detail::break_promise(*state_);
        }
    }

    /// @returns whether there is a state: whether the other calls may be made.
    bool valid() const noexcept { return static_cast<bool>(state_); }

    /// @returns the future of the next call; once for each state.
    future<R> get_future() {
        checked();
        if (std::exchange(retrieved_, true)) {
            throw std::future_error(std::future_errc::future_already_retrieved);
        }
        return future<R>(state_);
    }

    /// Calls the function; what it returns or throws goes to the future.
    /// @throws std::future_error promise_already_satisfied for a second call without a reset();
    /// operation_cancelled if the function does. Nothing else.
    void operator()(Args... args) {
        checked();
        // Of our own: the function may reset() us.
        const detail::future_ref<R> result = state_;
        detail::publish_outcome_of(result, detail::failure_goes_to::future,
                                   [&]() -> R { return fn_->call(std::forward<Args>(args)...); });
    }

    /// Makes the task one that was not called yet, of the same function, with a future of its own.
    void reset() {
        checked();
        packaged_task fresh;
        fresh.state_ = detail::future_ref<R>::make();
        fresh.fn_ = std::move(fn_);
        swap(fresh);
    }

    /// Exchanges functions and states.
    void swap(packaged_task& other) noexcept {
        std::swap(fn_, other.fn_);
        std::swap(state_, other.state_);
        std::swap(retrieved_, other.retrieved_);
    }

private:
    struct function {
        function() = default;
        function(const function&) = delete;
        function& operator=(const function&) = delete;
        virtual ~function() = default;
        virtual R call(Args&&... args) = 0;
    };

    template <class F>
    struct function_of final : function {
        template <class G>
        explicit function_of(G&& from) : fn(std::forward<G>(from)) {}
        R call(Args&&... args) override {
            if constexpr (std::is_void_v<R>) {
                std::invoke(fn, std::forward<Args>(args)...);
            } else {
                return std::invoke(fn, std::forward<Args>(args)...);
            }
        }
        F fn;
    };

    void checked() const {
        if (!state_) {
            throw std::future_error(std::future_errc::no_state);
        }
    }

    std::unique_ptr<function> fn_;
    detail::future_ref<R> state_;
    bool retrieved_ = false;
};

/// A task of a plain function.
template <class R, class... Args>
packaged_task(R (*)(Args...)) -> packaged_task<R(Args...)>;

/// A task of a function object that can be called in one way.
template <class F, class S = typename decltype(detail::signature_of(&F::operator()))::type>
packaged_task(F) -> packaged_task<S>;

/// Exchanges the functions and states of two tasks.
template <class Signature>
void swap(packaged_task<Signature>& a, packaged_task<Signature>& b) noexcept {
    a.swap(b);
}

}  // namespace coir
