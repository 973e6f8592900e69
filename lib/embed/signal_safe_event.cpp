// SPDX-License-Identifier: BSL-1.0
#include <coir/signal_safe_event.hpp>

#include "base/assert.hpp"
#include "base/system_calls.hpp"
#include "core/waiter.hpp"
#include "reactor/wait_io.hpp"
#include "reactor/wake_channel.hpp"

#include <coir/cancellation.hpp>

#include <atomic>
#include <cstdint>
#include <system_error>

namespace coir {

// A flag says whether the event is set, and a descriptor wakes whoever waits. To pass takes both:
// something read from the descriptor, and then the flag.
//
//   set()    flag = true; write
//   pass     read something; flag was true, and is false now
//
// That nobody passes by the flag alone is for the lifetime: write(2) is the last thing that set()
// does, and who has read what it wrote may close the descriptor. That nobody passes by the
// descriptor alone is for fork(): a child shares it, and a signal that comes to the child between
// fork() and exec() must not pass for one of the parent's, but the flag is each process's own.
//
// No set is lost, for its flag comes before its write. Who reads the write finds the flag, unless
// somebody has passed by it meanwhile; then both sets counted as one, since the flag was still up
// when the second one came. A write that is left over wakes once for nothing.
struct signal_safe_event::state {
    bool pass() noexcept {
        std::uint64_t count = 0;
        return detail::sys.read(channel.descriptor(), &count, sizeof count) > 0 &&
               raised.exchange(false, std::memory_order_acquire);
    }

    // A handler must not meet a lock inside of it.
    static_assert(std::atomic<bool>::is_always_lock_free);
    std::atomic<bool> raised{false};
    detail::wake_channel channel;
};

signal_safe_event::signal_safe_event() : state_(std::make_unique<state>()) {}

signal_safe_event::~signal_safe_event() { detail::io_forget(state_->channel.descriptor()); }

void signal_safe_event::set() noexcept {
    // An exchange and not a store: who passes by this set has also seen what came before another
    // one that is folded into it. What raise() looks at after its write is errno alone.
    state_->raised.exchange(true, std::memory_order_acq_rel);
    state_->channel.raise();
}

bool signal_safe_event::is_set() const noexcept {
    return state_->raised.load(std::memory_order_acquire);
}

bool signal_safe_event::try_wait() noexcept {
    const bool passed = is_set() && state_->pass();
    detail::spend_budget();
    return passed;
}

bool signal_safe_event::wait_until(deadline until) {
    detail::check_cancelled();
    if (state_->pass()) {
        detail::spend_budget();
        return true;
    }
    // From here to the wait no other fiber of this carrier runs, and so nobody takes the event in
    // that tells of a write. All who wait are woken; who finds that another one has passed waits
    // again.
    const int descriptor = state_->channel.descriptor();
    for (;;) {
        const detail::io_result result = detail::wait_io(
            {descriptor, detail::direction::read, detail::descriptor_kind::owned}, until);
        if (result.status == wait_status::cancelled) {
            throw operation_cancelled();
        }
        if (result.error != 0) {
            COIR_ASSERT(result.error != EBADF,
                        "a signal_safe_event is destroyed while somebody waits for it");
            throw std::system_error(result.error, std::system_category(),
                                    "coir: waiting for a signal_safe_event");
        }
        if (state_->pass()) {
            return true;
        }
        if (result.status == wait_status::timed_out) {
            return false;
        }
    }
}

}  // namespace coir
