// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scope.hpp"

#include <exception>

namespace coir::detail {

class fiber_control;

class scheduler;

// What a fiber knows of the group that it was spawned in: the scope above its own, and whom to tell
// of its end. It outlives its fibers. Made and destroyed on one carrier, its home.
class group_state {
public:
    group_state() noexcept;
    group_state(const group_state&) = delete;
    group_state& operator=(const group_state&) = delete;
    virtual ~group_state() = default;

    // A fiber is being spawned in the group, on any carrier.
    virtual void fiber_started() noexcept = 0;

    // A fiber of the group has ended; `failure` escaped from it, unless null. Called at home,
    // wherever the fiber ran.
    virtual void fiber_ended(const fiber_control& ended, std::exception_ptr failure) noexcept = 0;

    scheduler* const home;  // null on a plain thread, where nothing can be spawned
    scope members;          // the home thread's
};

}  // namespace coir::detail
