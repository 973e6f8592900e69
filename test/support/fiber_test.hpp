// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/idle_source.hpp"
#include "core/scheduler.hpp"
#include "time/clock.hpp"

#include <coir/deadline.hpp>
#include <coir/detail/function_ref.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace coir::test {

// An idle source with no descriptors: when nobody is ready, its virtual clock jumps to the next
// deadline. Without a deadline it waits for another thread's wake(), as real ones do.
class jumping_idle_source final : public detail::idle_source {
public:
    explicit jumping_idle_source(detail::virtual_clock& time) noexcept : time_(time) {}

    void wait(deadline until) noexcept override;
    void wake() noexcept override;

    std::size_t looks() const noexcept { return looks_; }  // waits that were not to block
    std::size_t jumps() const noexcept { return jumps_; }  // of the clock

private:
    detail::virtual_clock& time_;
    std::size_t looks_ = 0;
    std::size_t jumps_ = 0;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool woken_ = false;
};

// A carrier thread on virtual time, with no reactor: what unit tests run fibers in. Nothing in it
// waits for real time, unless for other threads.
class fiber_world {
public:
    explicit fiber_world(const detail::scheduler::settings& chosen = {})
        : current_clock_(time_), idle_(time_), fibers_(chosen, idle_) {}
    fiber_world(const fiber_world&) = delete;
    fiber_world& operator=(const fiber_world&) = delete;

    // Runs body as the main fiber. Fails the test case if the fibers get into a deadlock, or if a
    // fiber, a stack, a timer or a control block is left over when all is over. What escapes body
    // passes.
    void run(detail::function_ref body);

    // The same for bodies that are to end in a deadlock. Returns its report.
    std::string run_into_deadlock(detail::function_ref body);

    detail::virtual_clock& time() noexcept { return time_; }
    jumping_idle_source& idle() noexcept { return idle_; }
    detail::scheduler& fibers() noexcept { return fibers_; }

private:
    void check_nothing_is_left();

    detail::virtual_clock time_;
    const detail::clock_scope current_clock_;
    jumping_idle_source idle_;
    detail::scheduler fibers_;
};

// Runs body in a fiber_world of its own.
template <class F>
void run_in_fiber_world(F&& body) {
    fiber_world world;
    world.run(body);
}

// Virtual time since the start of the test.
inline std::chrono::nanoseconds elapsed() noexcept {
    return detail::now() - detail::virtual_clock::start;
}

}  // namespace coir::test

// A Boost.Test case whose body runs in the main fiber of a fiber_world:
//
//     FIBER_TEST_CASE(a_sleep_is_exact) { ... }
#define FIBER_TEST_CASE(name)                                    \
    static void name##_body();                                   \
    BOOST_AUTO_TEST_CASE(name) {                                 \
        ::coir::test::run_in_fiber_world([] { name##_body(); }); \
    }                                                            \
    static void name##_body()

// The same for each sample of a data set: FIBER_DATA_TEST_CASE(name, dataset, type, variable).
#define FIBER_DATA_TEST_CASE(name, dataset, type, variable)               \
    static void name##_body(const type& variable);                        \
    BOOST_DATA_TEST_CASE(name, dataset, variable) {                       \
        ::coir::test::run_in_fiber_world([&] { name##_body(variable); }); \
    }                                                                     \
    static void name##_body(const type& variable)
