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

// The same with its type: fn(args...), all decayed, called once.
template <class F, class... Args>
class owned_call final : public abandonable_call {
public:
    template <class G, class... A>
    explicit owned_call(G&& fn, A&&... args)
        : fn_(std::forward<G>(fn)), args_(std::forward<A>(args)...) {}

    void invoke() override {
        auto bound = [this]() -> decltype(auto) {
            return std::apply(std::move(fn_), std::move(args_));
        };
        result_.assign(bound);
    }
    // When it was invoked and nothing escaped.
    std::invoke_result_t<F, Args...> take() { return result_.take(); }

private:
    F fn_;
    std::tuple<Args...> args_;
    result_of_call<std::invoke_result_t<F, Args...>> result_;
};

// Runs body on the blocking pool of the run and awaits its end; rethrows what escapes it.
COIR_API void run_on_blocking_pool(function_ref body);
COIR_API void run_on_blocking_pool(const std::shared_ptr<abandonable_call>& call);

}  // namespace detail

/// Calls `fn(args...)` on a thread of the blocking pool and waits for its result: for calls that
/// block the thread and that coir has no counterpart for. `fn` may refer to the caller's variables.
/// On a plain thread it calls `fn` right there.
///
/// At most run_options::blocking_threads calls run at once; more wait in line. The threads are
/// started on demand, and end when they were idle for some time. They block all signals. Values of
/// inherited variables are the caller's. blocking_pool has limits of its own.
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
    using call = detail::owned_call<std::decay_t<F>, std::decay_t<Args>...>;
    const auto made = std::make_shared<call>(std::forward<F>(fn), std::forward<Args>(args)...);
    detail::run_on_blocking_pool(made);
    return made->take();
}

/// run_blocking() by asyncio's name.
template <class... A>
auto to_thread(A&&... a) -> decltype(run_blocking(std::forward<A>(a)...)) {
    return run_blocking(std::forward<A>(a)...);
}

}  // namespace coir
