// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/detail/function_ref.hpp>
#include <coir/detail/result_of_call.hpp>
#include <coir/export.hpp>

#include <memory>
#include <utility>

namespace coir {

/// @brief Thrown by a call that may wait when a scope around it has been cancelled.
///
/// It is no std::exception, so that `catch (const std::exception&)` does not swallow it. Let it
/// pass: it stops by itself at the scope that was cancelled. Swallowing it does no lasting harm,
/// since cancellation is level-triggered: the next call that may wait throws again.
class COIR_API operation_cancelled {
public:
    /// @returns a fixed text, for logs.
    const char* what() const noexcept { return "coir: operation cancelled"; }
};

namespace detail {
class shared_scope;
COIR_API bool run_in_scope(shared_scope& scope, function_ref body);
COIR_API void run_shielded(function_ref body);
}  // namespace detail

/// @brief A part of a program that can be cancelled as a whole, with everything that waits in it.
///
/// Once `cancel()` was called, every call under `run()` that may wait throws operation_cancelled,
/// until the scope has been left; libc-shaped calls fail with `ECANCELED` instead. Scopes nest, and
/// reach the children of a task_group that was made inside. To bound a piece of work by time alone,
/// with_timeout() is shorter.
///
/// @threadsafety `cancel()` and `cancel_requested()` may be called from any thread. On a plain
/// thread that is blocked in a system call, a cancellation from elsewhere is seen when that call
/// returns.
/// @lifetime The scope must outlive `run()`. One scope is entered by one fiber at a time.
/// @example `samples/05_timeouts_and_cancellation.cpp`
class COIR_API cancel_scope {
public:
    /// Makes a scope that ends only when it is cancelled.
    cancel_scope() : cancel_scope(deadline::never()) {}

    /// Makes a scope that is cancelled by itself once `until` has passed.
    explicit cancel_scope(deadline until);

    cancel_scope(const cancel_scope&) = delete;
    cancel_scope& operator=(const cancel_scope&) = delete;
    ~cancel_scope();

    /// Calls `fn` inside the scope. @returns true if `fn` returned, false if this scope's
    /// cancellation ended it. A cancellation aimed at a scope further out passes through.
    /// @throws whatever `fn` throws.
    /// @throws std::logic_error if the scope has been entered already.
    template <class F>
    bool run(F&& fn) {
        return detail::run_in_scope(*state_, fn);
    }

    /// Cancels the scope: at once and for good.
    void cancel() noexcept;

    /// @returns whether cancel() was called or the deadline has passed.
    bool cancel_requested() const noexcept;

private:
    std::unique_ptr<detail::shared_scope> state_;
};

/// Calls `fn` with no cancellation or deadline from outside reaching in: for cleanup that must
/// wait. What was held off is seen by the first call that may wait after the shield.
/// @returns what `fn` returns. @throws what `fn` throws.
template <class F>
auto shield(F&& fn) -> decltype(fn()) {
    detail::result_of_call<decltype(fn())> result;
    auto body = [&] {
        result.assign(fn);
    };
    detail::run_shielded(body);
    return result.take();
}

}  // namespace coir
