// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/async.hpp>
#include <coir/deadline.hpp>
#include <coir/detail/function_ref.hpp>
#include <coir/export.hpp>
#include <coir/run_options.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief A run() that another event loop drives, on its own thread: that of glib, libuv, Qt or a
/// game. What trio calls guest mode.
///
/// The host loop watches `descriptor()` for reading, and calls `run_ready()` when it is readable
/// and when `next_deadline()` has passed. Fibers then run on the host's thread, between its
/// callbacks; they may call the host's functions, and its callbacks may `spawn()`, set promises and
/// cancel.
///
/// @suspends The destructor alone, which blocks the thread until the fibers have ended.
/// @threadsafety Used on the thread that made it. Promises, events and channels are how other
/// threads reach its fibers.
/// @errors std::invalid_argument for options that a guest cannot have: more than one thread,
/// virtual time, and the reactor poll, which has no descriptor that could be watched.
/// @cancellation The destructor cancels the fibers and awaits them.
/// @lifetime It is destroyed on its own thread, outside of its fibers.
/// @example `samples/11_embed_in_event_loop.cpp`
class COIR_API guest_run {
public:
    /// Prepares a run; nothing runs yet.
    /// @throws std::system_error operation_not_permitted inside run(), and as run() does.
    explicit guest_run(const run_options& options = {});
    guest_run(const guest_run&) = delete;
    guest_run& operator=(const guest_run&) = delete;
    ~guest_run();

    /// @returns a descriptor that is readable (level-triggered) when run_ready() has something to
    /// do. It stays the same, is to be watched for reading alone, and not to be read.
    int descriptor() const noexcept;

    /// @returns when run_ready() is to be called at the latest: the instant of the first timer.
    /// Ask after each run_ready() and each spawn().
    deadline next_deadline() const noexcept;

    /// Runs the fibers that are ready, until none is. With fibers that are ready all the time it
    /// returns after a few turns of each, and leaves the descriptor readable. Never blocks.
    void run_ready();

    /// @returns how many fibers have not ended.
    std::size_t live_fibers() const noexcept;

    /// Spawns a fiber that calls `fn(args...)`. It runs in a run_ready() to come. Outside of
    /// fibers; they spawn as ever.
    template <class F, class... Args,
              class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>>>
    auto spawn(F&& fn, Args&&... args) -> future<detail::task_result<F, Args...>> {
        future<detail::task_result<F, Args...>> result;
        auto body = [&] {
            result =
                async(fiber_options({}, 0, {}), std::forward<F>(fn), std::forward<Args>(args)...);
        };
        stay(body);
        return result;
    }

private:
    void stay(detail::function_ref body);

    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace coir
