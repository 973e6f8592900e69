// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/time_limit.hpp"

#include <coir/wait_queue.hpp>

#include <cstdint>

namespace coir::hook::detail {

// How a fiber gets a lock of libc's that somebody else holds: it stands in line with other fibers,
// in the lock_lot, and tries whenever it is called.
//
// Threads do not stand there. They wait in libc, take the lock when it is free, and overtake the
// line as they overtake each other. Among fibers nobody is kept out for ever: who finds in front of
// him
//
//   one that was called and is on its way on this very carrier, or
//   one that has come too late once
//
// does not try, though the lock may be free, but waits for those. Without it a fiber that locks
// again as soon as it has unlocked, with no switch in between, would keep a lock from its
// neighbours for ever; threads are saved from that by being preempted.
//
// While somebody has been called for a lock nobody else is. He takes it, and his unlock calls the
// next; or finds it taken, and whoever unlocks it calls; or gives up, and calls the next himself.

// The lock that a fiber waits for, as the line sees it.
class contended_lock {
public:
    enum class use : std::uint8_t { one_at_a_time, alone, shared };

    contended_lock(const void* address, use wanted) noexcept : address_(address), use_(wanted) {}
    contended_lock(const contended_lock&) = delete;
    contended_lock& operator=(const contended_lock&) = delete;

    const void* address() const noexcept { return address_; }
    bool wants_it_alone() const noexcept { return use_ != use::shared; }
    bool is_shareable() const noexcept { return use_ != use::one_at_a_time; }

    // Gets it without waiting. EBUSY: it is held. Else the result of the call, an error or not.
    virtual int attempt() noexcept = 0;

    // The same, in libc, for as long as a lock is held that is soon given up. EBUSY: it was not.
    virtual int attempt_for_a_moment() noexcept = 0;

    // After an attempt that said EBUSY: whether a fiber of this very thread holds it. Then that one
    // has to run, and its unlock will be seen.
    virtual bool is_held_here() const noexcept = 0;

    // Whether it may be released so that no fiber is called.
    virtual bool may_be_released_unseen() const noexcept = 0;

    // Whether a reader is to wait while a writer waits.
    virtual bool writers_go_first() const noexcept { return false; }

    virtual wait_label label() const noexcept = 0;

protected:
    ~contended_lock() = default;

private:
    const void* const address_;
    const use use_;
};

// Whether the lock may be attempted out of line.
bool line_is_empty(const void* lock) noexcept;

// By a fiber that may park. @returns what the successful attempt said, or ETIMEDOUT. No
// cancellation ends it: locking is no cancellation point.
int get_in_line(contended_lock& wanted, const time_limit& until) noexcept;

// After a lock was released, by whomever.
void call_line_slowly(const void* lock) noexcept;
void call_line(const void* lock) noexcept;

// By a fiber whose attempt has failed, and that may try again and again: other fibers get a turn
// now and then.
void spend_budget() noexcept;

}  // namespace coir::hook::detail
