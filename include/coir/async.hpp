// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/detail/future_state.hpp>
#include <coir/detail/source_place.hpp>
#include <coir/detail/task.hpp>
#include <coir/export.hpp>
#include <coir/fiber.hpp>
#include <coir/shared_future.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief Thrown by future::get() when the task behind the future was cancelled. It is an ordinary
/// error, so that nobody mistakes another task's cancellation for their own.
class COIR_API task_cancelled : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~task_cancelled() override;
};

/// @brief std::future for fibers and threads: the result, to come, of a task or of a promise.
///
/// @suspends `get()`, `wait()`, `wait_for()` and `wait_until()` wait for the result.
/// @threadsafety As std::future: one thread at a time uses an object, but the result may come from
/// any thread.
/// @errors Calls on a future without state throw std::future_error (no_state).
/// @cancellation All waits are cancellation points, also if the result is there. The result is
/// not lost by a cancelled wait.
/// @lifetime Dropping a future leaves its task running. An exception that nobody has fetched is
/// logged then.
/// @example `test/unit/sync/async.cpp`
template <class T>
class future {
public:
    /// A future without state.
    future() noexcept = default;

    /// Takes the state over.
    future(future&&) noexcept = default;
    /// Takes the state over; drops the one that was there.
    future& operator=(future&&) noexcept = default;
    future(const future&) = delete;
    future& operator=(const future&) = delete;

    /// Waits for the result and hands it out; the future is without state after.
    ///
    /// A task that gets its own result, or tasks that get each other's, wait for ever; in std it is
    /// undefined. No call looks for such a circle, as fiber::join() does: it is a deadlock, which
    /// is reported when nothing else of the run can go on.
    /// @throws the exception of the task or promise; task_cancelled; std::future_error
    /// (broken_promise); operation_cancelled if the caller is cancelled.
    T get() {
        wait();
        const auto state = std::move(state_);
        detail::throw_unless_value(*state);
        return state.take();
    }

    /// Waits until the result is there.
    void wait() const { detail::wait_for_publication(state(), deadline::never()); }

    /// Waits for the result until `until`. @returns ready or timeout.
    std::future_status wait_until(deadline until) const {
        return detail::wait_for_publication(state(), until) ? std::future_status::ready
                                                            : std::future_status::timeout;
    }

    /// Waits for the result for at most `timeout`; zero just looks.
    template <class Rep, class Period>
    std::future_status wait_for(std::chrono::duration<Rep, Period> timeout) const {
        return wait_until(timeout <= timeout.zero() ? deadline::immediately()
                                                    : deadline::after(timeout));
    }

    /// @returns whether get() would not wait.
    bool ready() const { return detail::is_ready(state()); }

    /// @returns whether there is a state: whether the other calls may be made.
    bool valid() const noexcept { return static_cast<bool>(state_); }

    /// Cancels the task behind the future. A promise's future has none: then nothing happens.
    void cancel() { detail::cancel_task(state()); }

    /// Gives the state to a shared_future; this future is without state after.
    shared_future<T> share() noexcept { return shared_future<T>(std::move(state_)); }

    /// @returns what select() and wait() work on.
    detail::future_state& state() const {
        if (!state_) {
            throw std::future_error(std::future_errc::no_state);
        }
        return *state_;
    }

    /// Made by async(), promise and task_group.
    explicit future(detail::future_ref<T> state) noexcept : state_(std::move(state)) {}

private:
    detail::future_ref<T> state_;
};

template <class T>
shared_future<T>::shared_future(future<T>&& other) noexcept : shared_future(other.share()) {}

/// @brief std::promise for fibers and threads: gives a future its result, once, from any thread.
///
/// It is how a callback of a C library resumes a fiber.
///
/// @suspends Nothing waits.
/// @threadsafety Setting is safe against the future's calls; one thread at a time uses the promise.
/// @errors std::future_error as in std: promise_already_satisfied, future_already_retrieved,
/// no_state.
/// @lifetime A promise that goes without a result leaves its future a broken_promise.
template <class T>
class promise {
public:
    /// Makes a promise with a state of its own.
    promise() : state_(detail::future_ref<T>::make()) {}
    /// Takes the state over.
    promise(promise&&) noexcept = default;
    /// Takes the state over; breaks the promise that was there.
    promise& operator=(promise&& other) noexcept {
        promise(std::move(other)).swap(*this);
        return *this;
    }
    promise(const promise&) = delete;
    promise& operator=(const promise&) = delete;
    ~promise() {
        if (state_) {
            detail::break_promise(*state_);
        }
    }

    /// @returns the future; once.
    future<T> get_future() {
        checked();
        if (std::exchange(retrieved_, true)) {
            throw std::future_error(std::future_errc::future_already_retrieved);
        }
        return future<T>(state_);
    }

    /// Sets the result: a value, a reference, or nothing, as T is.
    template <class... V>
    void set_value(V&&... value) {
        static_assert(sizeof...(V) == (std::is_void_v<T> ? 0 : 1), "set_value takes a T");
        checked();
        state_.publish_result_of(
            [&]() -> T { return static_cast<T>((std::forward<V>(value), ...)); });
    }

    /// Makes future::get() throw `failure`.
    void set_exception(std::exception_ptr failure) {
        checked();
        detail::begin_publishing(*state_);
        detail::publish_failure(*state_, std::move(failure));
    }

    /// Exchanges the states.
    void swap(promise& other) noexcept {
        std::swap(state_, other.state_);
        std::swap(retrieved_, other.retrieved_);
    }

private:
    void checked() const {
        if (!state_) {
            throw std::future_error(std::future_errc::no_state);
        }
    }

    detail::future_ref<T> state_;
    bool retrieved_ = false;
};

/// Exchanges the states of two promises.
template <class T>
void swap(promise<T>& a, promise<T>& b) noexcept {
    a.swap(b);
}

/// Spawns a fiber that calls `fn`, and gives a future for what it returns: std::async for fibers,
/// and asyncio.create_task. The task goes on if the future is dropped; task_group keeps tasks
/// together.
/// @throws std::system_error outside run().
template <class F, class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>>>>
auto async(F&& fn, detail::source_place place = detail::source_place::here())
    -> future<detail::task_result<F>> {
    return future<detail::task_result<F>>(detail::spawn_task(fiber_options({}, 0, place), nullptr,
                                                             detail::failure_goes_to::future,
                                                             std::forward<F>(fn)));
}

/// The same for `fn(arg, args...)`, all moved or copied into the task.
template <class F, class A, class... Args,
          class = std::enable_if_t<
              std::is_invocable_v<std::decay_t<F>, std::decay_t<A>, std::decay_t<Args>...>>>
auto async(F&& fn, A&& arg, Args&&... args) -> future<detail::task_result<F, A, Args...>> {
    return future<detail::task_result<F, A, Args...>>(
        detail::spawn_task(fiber_options({}, 0, {}), nullptr, detail::failure_goes_to::future,
                           std::forward<F>(fn), std::forward<A>(arg), std::forward<Args>(args)...));
}

/// The same with a policy first, for programs that have one. A fiber starts when its turn comes,
/// and not when its result is asked for.
/// @throws std::system_error (operation_not_supported) for std::launch::deferred alone.
template <class F, class... Args,
          class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>>>
auto async(std::launch policy, F&& fn, Args&&... args) -> future<detail::task_result<F, Args...>> {
    if ((policy & std::launch::async) != std::launch::async) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_supported),
                                "coir::async: the only policy is std::launch::async");
    }
    return async(fiber_options({}, 0, {}), std::forward<F>(fn), std::forward<Args>(args)...);
}

/// The same with fiber_options first.
template <class F, class... Args,
          class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>>>
auto async(fiber_options options, F&& fn, Args&&... args)
    -> future<detail::task_result<F, Args...>> {
    return future<detail::task_result<F, Args...>>(
        detail::spawn_task(std::move(options), nullptr, detail::failure_goes_to::future,
                           std::forward<F>(fn), std::forward<Args>(args)...));
}

}  // namespace coir
