// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "time/timer_queue.hpp"

#include <chrono>
#include <functional>
#include <vector>

namespace coir::test {

using firings = std::vector<int>;

// A timer that writes its number down when it fires, and then does what `then` says.
struct recorded_timer : detail::timer {
    recorded_timer(firings& record, int number)
        : timer(&recorded_timer::record_firing), fired(record), id(number) {}

    static void record_firing(timer& t) noexcept {
        auto& self = static_cast<recorded_timer&>(t);
        self.was_armed_when_fired = self.is_armed();
        self.fired.push_back(self.id);
        if (self.then) {
            self.then();
        }
    }

    firings& fired;
    int id;
    bool was_armed_when_fired = false;
    std::function<void()> then;
};

// A queue, four timers numbered as they are named, and an instant to start from. What a case leaves
// armed is disarmed before the queue dies.
struct with_timer_queue {
    detail::time_point start{std::chrono::hours(1000)};
    detail::timer_queue queue{start};
    firings fired;
    recorded_timer a{fired, 1};
    recorded_timer b{fired, 2};
    recorded_timer c{fired, 3};
    recorded_timer d{fired, 4};

    ~with_timer_queue() {
        for (recorded_timer* t : {&a, &b, &c, &d}) {
            queue.cancel(*t);
        }
    }
};

}  // namespace coir::test
