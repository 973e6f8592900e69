// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>

#include <atomic>
#include <chrono>

namespace coir::detail {

using time_point = deadline::time_point;

// Where coir gets the time from. There is no class for the steady clock: it is what is meant where
// no clock is named (a null pointer), so that a program's every look at the time is one load, one
// branch and std::chrono::steady_clock::now(). (The C function of the same name is ::clock; a file
// that says `using namespace coir::detail` has to name this one whole.)
class clock {
public:
    // May be called from any thread; never less than before.
    virtual time_point now() const noexcept = 0;

protected:
    clock() = default;
    clock(const clock&) = default;
    clock& operator=(const clock&) = default;
    ~clock() = default;
};

// A clock for tests: it stands still until it is told to go on. It starts at the same instant in
// every run, and not at zero, so that a time that nobody has set is not mistaken for now. Any
// thread may read or advance it.
class virtual_clock final : public clock {
public:
    static constexpr time_point start{std::chrono::hours(1000)};

    virtual_clock() noexcept : virtual_clock(start) {}
    explicit virtual_clock(time_point from) noexcept : count_(from.time_since_epoch().count()) {}

    time_point now() const noexcept override;

    // Goes on to t; an instant before now is ignored, as this clock is steady too.
    void advance_to(time_point t) noexcept;
    void advance_by(std::chrono::nanoseconds d) noexcept { advance_to(now() + d); }

private:
    // Relaxed throughout: the count stands for itself and publishes nothing else.
    std::atomic<std::chrono::nanoseconds::rep> count_;
};

// The clock of the calling thread, hence of every fiber pinned to it: what detail::now() and all
// deadlines read. Null is the steady clock.
const clock* current_clock() noexcept;

// Makes a clock (or, by null, the steady clock) the calling thread's until the scope ends. Scopes
// nest.
class clock_scope {
public:
    explicit clock_scope(const clock* inner) noexcept;
    explicit clock_scope(const clock& inner) noexcept : clock_scope(&inner) {}
    clock_scope(const clock_scope&) = delete;
    clock_scope& operator=(const clock_scope&) = delete;
    ~clock_scope();

private:
    const clock* outer_;
};

}  // namespace coir::detail
