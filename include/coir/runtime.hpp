// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/async.hpp>
#include <coir/detail/task.hpp>
#include <coir/export.hpp>
#include <coir/fiber.hpp>
#include <coir/run_options.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coir {

namespace detail {

// Work on its way to a carrier, where it becomes a fiber.
class COIR_API submission {
public:
    submission() = default;
    submission(const submission&) = delete;
    submission& operator=(const submission&) = delete;
    virtual ~submission();

    virtual void spawn() = 0;  // on the carrier
    virtual void could_not_spawn(std::exception_ptr why) noexcept = 0;
};

}  // namespace detail

/// @brief Carrier threads in the background, for a program that has threads and an order of its
/// own: it hands functions over and gets futures. Where a whole thread can be given to fibers,
/// run() is simpler.
///
/// @suspends The destructor waits for the fibers' end, and `submit()` for nothing. The futures wait
/// as all do: a plain thread blocks, a fiber parks.
/// @threadsafety Any thread may call `submit()`, fibers of this and of other runs included. The
/// destructor is called once, by nobody who runs on this runtime.
/// @errors The constructor throws what run() throws: std::invalid_argument for an option that is
/// out of range, std::system_error where the system refuses threads, descriptors or memory.
/// @cancellation The destructor cancels what still runs, and awaits it: futures then throw
/// task_cancelled. future::cancel() cancels one task.
/// @lifetime Futures may outlive the runtime.
/// @example `test/integration/embed/runtime.cpp`
class COIR_API runtime {
public:
    /// Starts `options.threads` carrier threads. All of them block all signals but those of faults.
    explicit runtime(const run_options& options = {});
    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;
    ~runtime();

    /// Calls `fn(args...)`, moved or copied, in a fiber on one of the carriers.
    /// @returns the future of its result. A runtime that ends first leaves it a task_cancelled.
    /// @throws std::system_error operation_canceled if the runtime is shutting down;
    /// std::invalid_argument if fiber_options::carrier names none of its carriers.
    template <class F, class... Args,
              class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>>>
    auto submit(F&& fn, Args&&... args) -> future<detail::task_result<F, Args...>> {
        return submit(fiber_options({}, 0, {}), std::forward<F>(fn), std::forward<Args>(args)...);
    }

    /// The same with fiber_options first.
    template <class F, class... Args,
              class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>>>
    auto submit(fiber_options options, F&& fn, Args&&... args)
        -> future<detail::task_result<F, Args...>> {
        using result_type = detail::task_result<F, Args...>;
        using work = detached_task<result_type, std::decay_t<F>, std::decay_t<Args>...>;
        auto result = detail::future_ref<result_type>::make();
        const int carrier = options.carrier;
        post(std::make_unique<work>(result, std::move(options), std::forward<F>(fn),
                                    std::forward<Args>(args)...),
             carrier);
        return future<result_type>(std::move(result));
    }

    /// @returns how many carrier threads there are.
    std::size_t threads() const noexcept;

private:
    // It becomes a fiber that computes the future's value.
    template <class R, class F, class... Args>
    class detached_task final : public detail::submission {
    public:
        template <class G, class... A>
        detached_task(detail::future_ref<R> result, fiber_options options, G&& fn, A&&... args)
            : result_(std::move(result)),
              options_(std::move(options)),
              fn_(std::forward<G>(fn)),
              args_(std::forward<A>(args)...) {}

        void spawn() override {
            std::apply(
                [this](Args&... args) {
                    detail::attach_task(
                        *result_, detail::spawn_as<F>(
                                      std::move(options_), detail::handle_kind::joinable, nullptr,
                                      detail::task_body<R, F>(
                                          result_, detail::failure_goes_to::future, std::move(fn_)),
                                      std::move(args)...));
                },
                args_);
        }

        void could_not_spawn(std::exception_ptr why) noexcept override {
            detail::publish_failure(*result_, std::move(why));
        }

    private:
        detail::future_ref<R> result_;
        fiber_options options_;
        F fn_;
        std::tuple<Args...> args_;
    };

    void post(std::unique_ptr<detail::submission> work, int carrier);

    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace coir
