// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>

#include <chrono>
#include <memory>

namespace coir {

/// @brief An event that a signal handler may set, to have a fiber or a thread do what the handler
/// must not: as libuv's uv_async_t, or the pipe that one writes to in a handler and reads in a
/// loop.
///
/// What a handler may call is little (signal-safety(7)); nothing else of coir belongs to it. So
/// use this for signals, and for what must not meet a lock; between fibers and threads, event
/// costs less and needs no descriptor. It is reset by whoever passes: sets that nobody has waited
/// for in between count as one, as signals themselves do.
///
/// @code
/// coir::signal_safe_event hang_up;   // a global variable, made before the handler is installed
///
/// extern "C" void on_hang_up(int) { hang_up.set(); }
///
/// void reload_when_told() {          // a fiber
///     for (;;) {
///         hang_up.wait();
///         reload();
///     }
/// }
/// @endcode
///
/// @suspends The waits, while the event is not set: a fiber parks in its carrier's reactor, a
/// thread blocks in poll(2). `set()` never waits.
/// @threadsafety Any thread. **`set()` is async-signal-safe**: it may be called in a signal
/// handler, whatever the handler has interrupted, this event's own functions included. It is an
/// atomic exchange and a write(2), and keeps `errno`. All else is for fibers and threads. A handler
/// runs on the stack of whatever fiber it interrupts, unless it is installed with `SA_ONSTACK`.
/// @errors std::system_error from the constructor if there is no descriptor left, and from the
/// waits if the kernel could not take in what to wait for (`ENOMEM`, `ENOSPC`).
/// @cancellation Every wait is a cancellation point, also if the event is set. A cancelled or
/// timed-out wait has not reset it. On a plain thread a cancellation by another thread is seen when
/// the wait ends; deadlines end it.
/// @order None: of several who wait any may pass. What was written before set() is seen by who
/// passes.
/// @lifetime It must outlive every call of `set()`: take the handler away first. Who has passed may
/// destroy it though the set() that let him pass has not returned. In a child process after fork()
/// a set() is the child's alone, and wakes nobody in the parent; the child must not wait, for it
/// would take the parent's wake-ups away.
/// @example `test/integration/embed/signal_safe_event.cpp`
class COIR_API signal_safe_event {
public:
    /// Makes an event that is not set.
    /// @throws std::system_error
    signal_safe_event();
    signal_safe_event(const signal_safe_event&) = delete;
    signal_safe_event& operator=(const signal_safe_event&) = delete;
    /// Destroying it under a wait is an error.
    ~signal_safe_event();

    /// Sets the event: one that waits passes, or the next to come. Setting it once more before that
    /// changes nothing. Async-signal-safe.
    void set() noexcept;

    /// @returns whether it waits to be passed.
    bool is_set() const noexcept;

    /// Passes if that is possible at once, which resets the event. @returns whether it was.
    bool try_wait() noexcept;

    /// Waits until the event is set, and resets it.
    /// @throws operation_cancelled, std::system_error
    void wait() { wait_until(deadline::never()); }

    /// Waits until the event is set, until `until`, and never less. @returns false if the deadline
    /// came first.
    /// @throws operation_cancelled, std::system_error
    bool wait_until(deadline until);

    /// Waits until the event is set, for at most `timeout`. @returns false if it came first.
    /// @throws operation_cancelled, std::system_error
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> timeout) {
        return wait_until(deadline::after(timeout));
    }

private:
    struct state;
    const std::unique_ptr<state> state_;
};

}  // namespace coir
