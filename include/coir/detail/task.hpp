// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/cancellation.hpp>
#include <coir/detail/future_state.hpp>
#include <coir/detail/spawn.hpp>
#include <coir/fiber.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

namespace coir::detail {

// Who learns of a task's failure.
enum class failure_goes_to : std::uint8_t {
    future,            // only who asks the future
    group_and_future,  // the group as well, which then stops the task's siblings
};

// Publishes what `call` returns or throws. A cancellation goes on, since it is the caller's, too;
// so does a failure that a group is to learn of. Throws promise_already_satisfied, and then has not
// called.
template <class R, class F>
void publish_outcome_of(const future_ref<R>& result, failure_goes_to failures, F&& call) {
    begin_publishing(*result);
    try {
        result.make_value(call);
    } catch (const operation_cancelled&) {
        publish_cancellation(*result);
        throw;
    } catch (...) {
        publish_failure(*result, std::current_exception());
        if (failures == failure_goes_to::group_and_future) {
            throw;
        }
        return;
    }
    publish_value(*result);
}

// What a fiber that computes a future's value runs.
template <class R, class F>
class task_body {
public:
    template <class G>
    task_body(future_ref<R> result, failure_goes_to failures, G&& fn)
        : result_(std::move(result)), failures_(failures), fn_(std::forward<G>(fn)) {}

    template <class... Args>
    void operator()(Args&&... args) {
        publish_outcome_of(result_, failures_, [&]() -> R {
            return std::invoke(std::move(fn_), std::forward<Args>(args)...);
        });
    }

    // Instead of the call, if there was no stack to be had for it.
    void could_not_start(const std::exception_ptr& why) noexcept { publish_failure(*result_, why); }

private:
    future_ref<R> result_;
    failure_goes_to failures_;
    F fn_;
};

template <class F, class... Args>
using task_result = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;

template <class F, class... Args>
future_ref<task_result<F, Args...>> spawn_task(fiber_options&& options, group_state* group,
                                               failure_goes_to failures, F&& fn, Args&&... args) {
    using result_type = task_result<F, Args...>;
    using function = std::decay_t<F>;
    auto result = future_ref<result_type>::make();
    if (failures == failure_goes_to::group_and_future) {
        mark_watched(*result);
    }
    attach_task(*result, spawn_as<function>(std::move(options), handle_kind::joinable, group,
                                            task_body<result_type, function>(result, failures,
                                                                             std::forward<F>(fn)),
                                            std::forward<Args>(args)...));
    return result;
}

}  // namespace coir::detail
