// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/function_ref.hpp>
#include <coir/detail/result_of_call.hpp>
#include <coir/export.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief Tag for run_blocking(): a cancelled caller goes on at once, and leaves the call behind.
struct abandon_on_cancel_t {
    explicit abandon_on_cancel_t() = default;
};
/// The tag's value.
inline constexpr abandon_on_cancel_t abandon_on_cancel{};

namespace detail {

// A call that may be left behind: it and its outcome, owned by the pool and by whoever waits.
class COIR_API abandonable_call {
public:
    abandonable_call() = default;
    abandonable_call(const abandonable_call&) = delete;
    abandonable_call& operator=(const abandonable_call&) = delete;
    virtual ~abandonable_call();
    virtual void invoke() = 0;
};

// Runs body on the blocking pool and awaits its end; rethrows what escapes it.
COIR_API void run_on_blocking_pool(function_ref body);
COIR_API void run_on_blocking_pool(std::shared_ptr<abandonable_call> call);

}  // namespace detail

/// Calls `fn(args...)` on a thread of the blocking pool and waits for its result: for calls that
/// block the thread and that coir has no counterpart for. `fn` may refer to the caller's variables.
/// On a plain thread it calls `fn` right there.
///
/// At most run_options::blocking_threads calls run at once; more wait in line. The threads are
/// started on demand, and end when they were idle for some time. They block all signals.
///
/// @par Cancellation
/// A cancelled call that still is in line is taken back, and operation_cancelled thrown. One that
/// runs is awaited, since it may refer to the caller's stack, and its result returned: the next
/// call that may wait throws. See the overload with abandon_on_cancel.
/// @returns what `fn` returns. @throws what `fn` throws.
/// @throws std::system_error if no thread can be started.
template <class F, class... Args>
auto run_blocking(F&& fn, Args&&... args) -> std::invoke_result_t<F, Args...> {
    detail::result_of_call<std::invoke_result_t<F, Args...>> result;
    auto call = [&]() -> decltype(auto) {
        return std::invoke(std::forward<F>(fn), std::forward<Args>(args)...);
    };
    auto body = [&] {
        result.assign(call);
    };
    detail::run_on_blocking_pool(body);
    return result.take();
}

/// The same for a call that may be left behind: a caller that is cancelled goes on at once, and the
/// call runs to its end by itself, its outcome dropped.
/// @pre `fn` and `args` own all that they use: they are moved or copied into the call, and may
/// outlive the caller, even coir::run().
template <class F, class... Args>
auto run_blocking(abandon_on_cancel_t, F&& fn, Args&&... args)
    -> std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...> {
    using result_type = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
    struct call final : detail::abandonable_call {
        call(F&& f, Args&&... a) : fn(std::forward<F>(f)), args(std::forward<Args>(a)...) {}
        void invoke() override {
            auto bound = [this]() -> decltype(auto) {
                return std::apply(std::move(fn), std::move(args));
            };
            result.assign(bound);
        }
        std::decay_t<F> fn;
        std::tuple<std::decay_t<Args>...> args;
        detail::result_of_call<result_type> result;
    };
    const auto made = std::make_shared<call>(std::forward<F>(fn), std::forward<Args>(args)...);
    detail::run_on_blocking_pool(made);
    return made->result.take();
}

}  // namespace coir
