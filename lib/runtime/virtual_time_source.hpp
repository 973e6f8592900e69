// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/idle_source.hpp"
#include "reactor/reactor.hpp"
#include "runtime/blocking_pool.hpp"
#include "time/clock.hpp"

namespace coir::detail {

// Real descriptors under a virtual clock: when nothing is ready, nothing has arrived and no
// blocking call is under way, time jumps to the next deadline.
class virtual_time_source final : public idle_source {
public:
    virtual_time_source(reactor& events, virtual_clock& time) noexcept
        : events_(events), time_(time) {}

    void wait(deadline until) noexcept override {
        if (until == deadline::immediately()) {
            events_.wait(until);
        } else if (until.is_never() || blocking_calls_awaited() > 0) {
            // In one call: to look first would take the wake-up that this one is to be ended by.
            events_.take_events(deadline::never());
        } else if (events_.take_events(deadline::immediately()) == 0) {
            time_.advance_to(until.time());
        }
    }

    void wake() noexcept override { events_.wake(); }

private:
    reactor& events_;
    virtual_clock& time_;
};

}  // namespace coir::detail
