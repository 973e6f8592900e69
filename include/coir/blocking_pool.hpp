// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/blocking.hpp>
#include <coir/detail/function_ref.hpp>
#include <coir/detail/result_of_call.hpp>
#include <coir/export.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief What can be chosen for a blocking_pool.
struct blocking_pool_options {
    std::string name = "blocking";  ///< of its threads, `name-1` and so on, cut to 15 characters
    std::size_t max_threads = 64;   ///< how many calls run at once; at least 1
    std::chrono::nanoseconds idle_time = std::chrono::seconds(10);  ///< after which a thread ends
};

/// @brief What a blocking_pool did so far, and does.
struct blocking_pool_statistics {
    std::size_t threads = 0;      ///< that there are
    std::size_t idle = 0;         ///< threads that run no call
    std::size_t running = 0;      ///< calls that run, abandoned ones included
    std::size_t queued = 0;       ///< calls in line
    std::uint64_t completed = 0;  ///< calls that have returned or thrown
    std::uint64_t abandoned = 0;  ///< calls whose caller was cancelled and left them running
};

/// @brief Threads for calls that block, with a name and a limit of their own: a database that bears
/// four connections, a library that is to be called by one thread at a time.
///
/// `run_blocking(pool, fn, args...)` makes a call on it. Without a pool run_blocking() takes that
/// of the run, for which run_options::blocking_threads is the limit.
///
/// @suspends run() waits; nothing else does, not even the destructor.
/// @threadsafety Fibers of any carrier and plain threads may use one pool at once.
/// @errors std::invalid_argument for a limit of 0. std::system_error where no thread can be
/// started.
/// @cancellation See run_blocking(). A cancelled caller may leave a call behind; the thread comes
/// back to the pool when it returns.
/// @order First come, first served.
/// @lifetime The pool must outlive its callers (asserted). Its end waits for no abandoned call:
/// such a one finishes by itself.
/// @example `test/unit/runtime/named_pools.cpp`
class COIR_API blocking_pool {
public:
    /// A pool with the default options.
    blocking_pool() : blocking_pool(blocking_pool_options()) {}
    /// A pool as `options` say. No thread is started yet.
    explicit blocking_pool(blocking_pool_options options);
    blocking_pool(const blocking_pool&) = delete;
    blocking_pool& operator=(const blocking_pool&) = delete;
    /// Lets idle threads end.
    ~blocking_pool();

    /// @returns the counts, as of one moment.
    blocking_pool_statistics statistics() const noexcept;

    /// @returns the name that was chosen.
    const std::string& name() const noexcept;

    /// Calls `body` on a thread of the pool and waits for its end, however the caller is cancelled
    /// meanwhile: what run_blocking(pool, fn) does. A thread of this pool calls it right there.
    void run(detail::function_ref body);

    /// The same for a call that is left behind if the caller is cancelled.
    void run(const std::shared_ptr<detail::abandonable_call>& call);

private:
    struct job;
    struct state;

    std::shared_ptr<state> state_;  // shared with the threads, some of which may outlive the pool
};

/// @returns the counts of the pool that run_blocking() without a pool takes: that of the calling
/// fiber's run. On a plain thread, which has none, all are 0.
COIR_API blocking_pool_statistics blocking_statistics() noexcept;

/// Calls `fn(args...)` on a thread of `pool` and waits for its result, as run_blocking() does on
/// the run's own pool; a plain thread waits as well.
/// @returns what `fn` returns. @throws what `fn` throws; operation_cancelled while it is in line.
template <class F, class... Args>
auto run_blocking(blocking_pool& pool, F&& fn, Args&&... args) -> std::invoke_result_t<F, Args...> {
    detail::result_of_call<std::invoke_result_t<F, Args...>> result;
    auto call = [&]() -> decltype(auto) {
        return std::invoke(std::forward<F>(fn), std::forward<Args>(args)...);
    };
    auto body = [&] {
        result.assign(call);
    };
    pool.run(body);
    return result.take();
}

/// The same for a call that may be left behind: see run_blocking() with abandon_on_cancel.
/// @pre `fn` and `args` own all that they use.
template <class F, class... Args>
auto run_blocking(blocking_pool& pool, abandon_on_cancel_t, F&& fn, Args&&... args)
    -> std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...> {
    using call = detail::owned_call<std::decay_t<F>, std::decay_t<Args>...>;
    const auto made = std::make_shared<call>(std::forward<F>(fn), std::forward<Args>(args)...);
    pool.run(made);
    return made->take();
}

}  // namespace coir
