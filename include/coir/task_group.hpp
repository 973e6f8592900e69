// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/async.hpp>
#include <coir/detail/task.hpp>
#include <coir/export.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace coir {

namespace detail {
class task_group_state;
COIR_API group_state& as_group(task_group_state& state) noexcept;
}  // namespace detail

/// @brief Fibers that belong together: the group's scope does not end before all of them have. It
/// is asyncio's TaskGroup, and the nursery of trio.
///
/// The first task that fails cancels its siblings, and its exception is rethrown by `join()` once
/// all have stopped; the exceptions of others are logged. The owner's own code is not interrupted:
/// it learns of a failure in `join()`.
///
/// @suspends `join()` and the destructor wait for the tasks' end; nothing else waits.
/// @threadsafety A group is made and destroyed by one fiber; every fiber of its run() may spawn
/// into it, join and cancel it, for as long as it lives. Its tasks may run on any carrier.
/// @errors `spawn()` outside run() throws std::system_error (operation_not_permitted).
/// @cancellation A cancellation of the scope in which the group was made reaches its tasks.
/// `join()` is a cancellation point: if the owner is cancelled there, the tasks are cancelled and
/// awaited first. The destructor is none.
/// @lifetime The destructor cancels and awaits what still runs, as on the way out of an exception;
/// a failure that no `join()` has reported is logged. After `join()` a group can be used again,
/// unless it was cancelled or a task has failed: then new tasks start cancelled.
/// @example `samples/06_task_group_failure.cpp`
class COIR_API task_group {
public:
    task_group();
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    ~task_group();

    /// Spawns a fiber that calls `fn`. The future may be dropped: failures reach the group anyway.
    template <class F, class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>>>>
    auto spawn(F&& fn, detail::source_place place = detail::source_place::here())
        -> future<detail::task_result<F>> {
        return spawn(fiber_options({}, 0, place), std::forward<F>(fn));
    }

    /// The same for `fn(arg, args...)`, all moved or copied into the task.
    template <class F, class A, class... Args,
              class = std::enable_if_t<
                  std::is_invocable_v<std::decay_t<F>, std::decay_t<A>, std::decay_t<Args>...>>>
    auto spawn(F&& fn, A&& arg, Args&&... args) -> future<detail::task_result<F, A, Args...>> {
        return spawn(fiber_options({}, 0, {}), std::forward<F>(fn), std::forward<A>(arg),
                     std::forward<Args>(args)...);
    }

    /// The same with fiber_options first.
    template <class F, class... Args,
              class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>>>
    auto spawn(fiber_options options, F&& fn, Args&&... args)
        -> future<detail::task_result<F, Args...>> {
        return future<detail::task_result<F, Args...>>(detail::spawn_task(
            std::move(options), group(), detail::failure_goes_to::group_and_future,
            std::forward<F>(fn), std::forward<Args>(args)...));
    }

    /// Waits until every task has ended, those included that are spawned meanwhile.
    /// @throws the exception of the first task that failed.
    /// @throws operation_cancelled if the caller is cancelled and no task has failed.
    void join();

    /// Cancels all tasks, at once and for good. They are still to be awaited.
    void cancel() noexcept;

    /// @returns how many tasks have not ended.
    std::size_t size() const noexcept;

private:
    detail::group_state* group() const noexcept { return &detail::as_group(*state_); }

    std::unique_ptr<detail::task_group_state> state_;
};

}  // namespace coir

#include <coir/gather.hpp>  // gather, race and as_completed: one vocabulary, and they need the above
