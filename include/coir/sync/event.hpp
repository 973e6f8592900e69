// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/locked_word.hpp>
#include <coir/wait_queue.hpp>

#include <chrono>
#include <cstdint>

namespace coir {

namespace detail {
class event_passage;
}  // namespace detail

/// @brief A flag that fibers and threads wait for: asyncio.Event, and Windows' two kinds of events.
///
/// A callback of a C library, on whatever thread it comes, wakes a fiber by `set()`.
///
/// - `reset_mode::manual`: a set event lets everybody pass until it is reset.
/// - `reset_mode::automatic`: a set event lets one pass, and is reset by that.
///
/// @suspends The waits, while the event is not set.
/// @threadsafety Any thread. Not to be used in a signal handler: there signal_safe_event is.
/// @errors None.
/// @cancellation Every wait is a cancellation point, also if the event is set. A cancelled or
/// timed-out wait has not reset an automatic event.
/// @order First come, first served. Whom `set()` has let pass has passed, though reset() be called
/// before it runs.
/// @lifetime Who has passed may destroy the event, though set() has not returned yet. Destroying it
/// under a wait is an error (asserted).
/// @example `test/unit/sync/event.cpp`
class COIR_API event {
public:
    /// @brief What resets an event.
    enum class reset_mode : std::uint8_t {
        manual,    ///< reset() alone
        automatic  ///< whoever passes
    };

    /// Makes an event that is not set.
    constexpr explicit event(reset_mode mode = reset_mode::manual) noexcept : mode_(mode) {}
    event(const event&) = delete;
    event& operator=(const event&) = delete;
    ~event() = default;

    /// Sets the event: all that wait pass, or one if it is reset automatically. If that one finds
    /// nobody waiting it stays set. Setting it once more changes nothing.
    void set() noexcept;

    /// Makes the event one that is not set.
    void reset() noexcept;

    /// @returns whether it is set; of an automatic one: whether it waits to be passed.
    bool is_set() const noexcept;

    /// Passes if that is possible at once, which resets an automatic event. @returns whether it
    /// was.
    bool try_wait() noexcept;

    /// Waits until the event is set.
    /// @throws operation_cancelled
    void wait() { wait_until(deadline::never()); }

    /// Waits until the event is set, until `until`, and never less. @returns false if the deadline
    /// came first.
    /// @throws operation_cancelled
    bool wait_until(deadline until);

    /// Waits until the event is set, for at most `timeout`. @returns false if it came first.
    /// @throws operation_cancelled
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> timeout) {
        return wait_until(deadline::after(timeout));
    }

private:
    friend class detail::event_passage;  // a select's place among those who wait

    bool pass() noexcept;
    bool pass_locked() noexcept;

    detail::locked_word state_;
    wait_queue waiting_;
    const reset_mode mode_;
};

}  // namespace coir
