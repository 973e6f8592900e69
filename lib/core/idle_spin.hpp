// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>

namespace coir::detail {

// Whether a carrier that has nothing to do looks out for a while, for what others may leave it,
// before it sleeps. To be put to sleep and woken costs two system calls and tens of microseconds;
// who is answered sooner than that had better not sleep. Who is not has burnt the time.
//
// Nobody can know, so it is tried: as long as it pays it is done again, and each time in vain
// doubles how often the carrier sleeps at once before it tries again. So an idle program, which
// wakes for its timers, spins in one of 256 sleeps, and one that has begun to be answered soon
// finds it out. doc/decisions/0036 has the choice of the numbers.
//
// Not thread-safe: the carrier's own.
class idle_spin {
public:
    // Whether to spin before this sleep.
    bool wanted() noexcept {
        if (sleeps_until_try_ == 0) {
            return true;
        }
        --sleeps_until_try_;
        return false;
    }

    // What came of it.
    void paid() noexcept { skipped_after_failure_ = 0; }
    void was_in_vain() noexcept {
        sleeps_until_try_ = skipped_after_failure_;
        skipped_after_failure_ = std::min(2 * skipped_after_failure_ + 1, most_skipped);
    }

private:
    static constexpr unsigned most_skipped = 255;

    unsigned sleeps_until_try_ = 0;
    unsigned skipped_after_failure_ = 0;
};

}  // namespace coir::detail
