// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/detail/future_state.hpp>
#include <coir/export.hpp>

#include <chrono>
#include <future>
#include <type_traits>
#include <utility>

namespace coir {

template <class T>
class future;

/// @brief std::shared_future for fibers and threads: a result, to come, that many may wait for and
/// look at.
///
/// It is made by future::share(). Each one who waits has a copy of its own.
///
/// @suspends `get()`, `wait()`, `wait_for()` and `wait_until()` wait for the result.
/// @threadsafety As std::shared_future: one thread at a time uses an object, and copies of it may
/// be used at once. What get() refers to is shared.
/// @errors Calls on a shared_future without state throw std::future_error (no_state).
/// @cancellation All waits are cancellation points, also if the result is there.
/// @lifetime The result lives as long as the last copy. An exception that nobody has fetched is
/// logged then.
/// @example `test/unit/sync/shared_future.cpp`
template <class T>
class shared_future {
public:
    /// @brief What get() gives: `const T&`; `R&` where T is that; nothing for void.
    using result_type = std::conditional_t<std::is_void_v<T> || std::is_reference_v<T>, T,
                                           std::add_lvalue_reference_t<std::add_const_t<T>>>;

    /// @brief A shared_future without state.
    shared_future() noexcept = default;

    /// @brief Takes the state of a future over.
    shared_future(future<T>&& other) noexcept;  // NOLINT(google-explicit-constructor): as in std

    /// @brief Waits for the result and gives it, each time anew.
    /// @throws the exception of the task or promise, each time; task_cancelled; std::future_error
    /// (broken_promise); operation_cancelled if the caller is cancelled.
    result_type get() const {
        wait();
        detail::throw_unless_value(*state_);
        return state_.look();
    }

    /// @brief Waits until the result is there.
    void wait() const { detail::wait_for_publication(state(), deadline::never()); }

    /// @brief Waits for the result until `until`. @returns ready or timeout.
    std::future_status wait_until(deadline until) const {
        return detail::wait_for_publication(state(), until) ? std::future_status::ready
                                                            : std::future_status::timeout;
    }

    /// @brief Waits for the result for at most `timeout`; zero just looks.
    template <class Rep, class Period>
    std::future_status wait_for(std::chrono::duration<Rep, Period> timeout) const {
        return wait_until(deadline::after(timeout));
    }

    /// @brief Tells whether get() would not wait.
    bool ready() const { return detail::is_ready(state()); }

    /// @brief Tells whether there is a state: whether the other calls may be made.
    bool valid() const noexcept { return static_cast<bool>(state_); }

    /// @brief Returns what select() and wait() work on.
    detail::future_state& state() const {
        if (!state_) {
            throw std::future_error(std::future_errc::no_state);
        }
        return *state_;
    }

    /// @brief Made by future::share().
    explicit shared_future(detail::future_ref<T> state) noexcept : state_(std::move(state)) {}

private:
    detail::future_ref<T> state_;
};

}  // namespace coir
