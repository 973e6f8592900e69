// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>

namespace coir::detail {

// What a scheduler does when it has nothing ready: "wait until this deadline; these fibers are now
// ready". The reactor implements it, and tests have one that moves a virtual clock instead.
class idle_source {
public:
    virtual ~idle_source() = default;

    // Makes ready the fibers whose events have come, and blocks for one until `until` if there is
    // none. May return early, with nothing. `deadline::immediately()` only looks.
    virtual void wait(deadline until) noexcept = 0;

    // Any thread: makes a wait() that blocks, or the next one that would, return.
    virtual void wake() noexcept = 0;
};

}  // namespace coir::detail
