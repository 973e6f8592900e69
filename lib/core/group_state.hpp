// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scope.hpp"

#include <exception>

namespace coir::detail {

class fiber_control;

// What a fiber knows of the group that it was spawned in: the scope above its own, and whom to tell
// of its end. It outlives its fibers.
class group_state {
public:
    virtual ~group_state() = default;

    // A fiber was spawned in the group.
    virtual void fiber_started() noexcept = 0;

    // A fiber of the group has ended; `failure` escaped from it, unless null.
    virtual void fiber_ended(const fiber_control& ended, std::exception_ptr failure) noexcept = 0;

    scope members;
};

}  // namespace coir::detail
