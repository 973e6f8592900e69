// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>

#include <algorithm>
#include <chrono>

namespace coir::detail {

// Keeps a wait from spinning. Between "ready" and the next try somebody else may have taken what
// was there, and then waiting anew is right; but some descriptors say "ready" all the time and
// still would block: a Unix datagram socket whose peer is full, a socket with unread urgent data. A
// wait that ends at once and in vain, several times in a row, is therefore followed by a pause.
class retry_pace {
public:
    static constexpr std::chrono::milliseconds longest_pause{16};

    void wait_begins() noexcept { begun_ = now(); }
    void progressed() noexcept {
        fruitless_ = 0;
        pause_ = shortest_pause;
    }

    // Called before a wait anew: for how long to leave it alone.
    std::chrono::milliseconds before_next_wait() noexcept {
        if (begun_ == never_begun || now() - begun_ > at_once) {
            progressed();
            return no_pause;
        }
        return ++fruitless_ <= fruitless_allowed ? no_pause : next_pause();
    }

    // Where there is no readiness at all to wait for: a pause each time.
    std::chrono::milliseconds next_pause() noexcept {
        const auto pause = pause_;
        pause_ = std::min(2 * pause_, longest_pause);
        return pause;
    }

private:
    static constexpr std::chrono::milliseconds no_pause{0};
    static constexpr std::chrono::milliseconds shortest_pause{1};
    static constexpr std::chrono::milliseconds at_once{1};
    static constexpr int fruitless_allowed = 2;
    static constexpr deadline::time_point never_begun{};

    deadline::time_point begun_ = never_begun;
    int fruitless_ = 0;
    std::chrono::milliseconds pause_ = shortest_pause;
};

}  // namespace coir::detail
