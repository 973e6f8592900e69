// SPDX-License-Identifier: BSL-1.0
#include <coir/this_fiber.hpp>

#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

using coir::deadline;
using coir::fiber;
using coir::test::elapsed;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(this_fiber)

FIBER_TEST_CASE(a_sleep_takes_exactly_its_time_on_virtual_time) {
    coir::this_fiber::sleep_for(5ms);
    BOOST_TEST((elapsed() == 5ms));
    coir::this_fiber::sleep_until(coir::detail::virtual_clock::start + 8ms);
    BOOST_TEST((elapsed() == 8ms));
    coir::this_fiber::sleep_for(1ns);
    BOOST_TEST((elapsed() == 8ms + 1ns));
    coir::this_fiber::sleep_for(24h * 365);
    BOOST_TEST((elapsed() == 24h * 365 + 8ms + 1ns));
}

FIBER_TEST_CASE(concurrent_sleeps_overlap) {
    std::vector<fiber> fibers;
    for (int i = 1; i <= 10; ++i) {
        fibers.emplace_back([i] {
            const auto before = elapsed();
            coir::this_fiber::sleep_for(std::chrono::milliseconds(i));
            BOOST_TEST((elapsed() - before == std::chrono::milliseconds(i)));
        });
    }
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST((elapsed() == 10ms));
}

FIBER_TEST_CASE(sleepers_of_one_deadline_wake_in_the_order_in_which_they_went_to_sleep) {
    std::string trace;
    const deadline until = deadline::after(3ms);
    const auto sleep = [&](char name) {
        coir::this_fiber::sleep_until(until);
        trace += name;
    };
    fiber a(sleep, 'a');
    fiber b(sleep, 'b');
    fiber c(sleep, 'c');
    c.join();
    BOOST_TEST(trace == "abc");
    a.join();
    b.join();
}

FIBER_TEST_CASE(sleepers_wake_by_deadline_not_by_when_they_went_to_sleep) {
    std::string trace;
    const auto sleep = [&](std::chrono::milliseconds time, char name) {
        coir::this_fiber::sleep_for(time);
        trace += name;
    };
    fiber a(sleep, 30ms, 'a');
    fiber b(sleep, 10ms, 'b');
    fiber c(sleep, 20ms, 'c');
    a.join();
    b.join();
    c.join();
    BOOST_TEST(trace == "bca");
}

FIBER_TEST_CASE(a_sleep_of_zero_or_less_returns_at_once) {
    bool switched = false;
    fiber other([&] { switched = true; });
    coir::this_fiber::sleep_for(0s);
    coir::this_fiber::sleep_for(-1s);
    coir::this_fiber::sleep_for(std::chrono::nanoseconds::min());
    coir::this_fiber::sleep_until(deadline::immediately());
    BOOST_TEST(!switched);
    BOOST_TEST((elapsed() == 0ns));
    other.join();
}

// On the steady clock, which goes on while a deadline is computed.
BOOST_AUTO_TEST_CASE(a_sleep_of_zero_returns_at_once_on_the_steady_clock_too) {
    struct looking_idle_source final : coir::detail::idle_source {
        void wait(deadline) noexcept override {}
        void wake() noexcept override {}
    } idle;
    coir::detail::scheduler fibers({}, idle);
    auto body = [] {
        bool switched = false;
        fiber other([&] { switched = true; });
        coir::this_fiber::sleep_for(0s);
        BOOST_TEST(!switched);
        other.join();
    };
    fibers.run_main(body);
}

FIBER_TEST_CASE(a_sleep_too_long_for_the_clock_lasts_until_it_is_cancelled) {
    bool cancelled = false;
    fiber sleeper([&] {
        try {
            coir::this_fiber::sleep_for(std::chrono::hours::max());
        } catch (const coir::operation_cancelled&) {
            cancelled = true;
            throw;
        }
    });
    coir::this_fiber::sleep_for(24h * 365 * 200);
    BOOST_TEST(!cancelled);
    sleeper.cancel();
    sleeper.join();
    BOOST_TEST(cancelled);
}

FIBER_TEST_CASE(a_sleep_is_a_cancellation_point_also_if_it_need_not_wait) {
    coir::cancel_scope scope;
    scope.cancel();
    int thrown = 0;
    scope.run([&] {
        for (const auto time : {0ms, -5ms, 5ms}) {
            try {
                coir::this_fiber::sleep_for(time);
            } catch (const coir::operation_cancelled&) {
                ++thrown;
            }
        }
    });
    BOOST_TEST(thrown == 3);
    BOOST_TEST((elapsed() == 0ns));
}

FIBER_TEST_CASE(yield_and_check_cancelled_are_cancellation_points) {
    coir::cancel_scope scope;
    scope.run([&] {
        coir::this_fiber::check_cancelled();
        coir::this_fiber::yield();
        scope.cancel();
        BOOST_CHECK_THROW(coir::this_fiber::check_cancelled(), coir::operation_cancelled);
        BOOST_CHECK_THROW(coir::this_fiber::yield(), coir::operation_cancelled);
    });
}

// With a clock that stands between two sleeps' deadlines, the second must not be woken with the
// first.
FIBER_TEST_CASE(nobody_is_woken_early_by_a_neighbour) {
    std::vector<fiber> fibers;
    for (int i = 0; i < 100; ++i) {
        fibers.emplace_back([i] {
            const auto time = std::chrono::nanoseconds(1 + 997 * i);
            const auto before = elapsed();
            coir::this_fiber::sleep_for(time);
            BOOST_TEST((elapsed() - before == time));
        });
    }
    for (fiber& f : fibers) {
        f.join();
    }
}

FIBER_TEST_CASE(a_fiber_knows_its_name) {
    BOOST_TEST(coir::this_fiber::name() == "main");
    std::string named;
    std::string unnamed;
    fiber a({"reader"}, [&] { named = coir::this_fiber::name(); });
    fiber b([&] { unnamed = coir::this_fiber::name(); });
    const std::string id = std::to_string(b.get_id().value());
    a.join();
    b.join();
    BOOST_TEST(named == "reader");
    BOOST_TEST(unnamed == "fiber " + id);
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_calls_mean_the_thread) {
    BOOST_TEST(coir::this_fiber::name() == "thread");
    BOOST_TEST((coir::this_fiber::get_id() == fiber::id()));
    coir::this_fiber::yield();
    coir::this_fiber::check_cancelled();
    const auto until = std::chrono::steady_clock::now() + 2ms;
    coir::this_fiber::sleep_for(2ms);
    BOOST_TEST((std::chrono::steady_clock::now() >= until));
    coir::this_fiber::sleep_for(0s);
    coir::this_fiber::sleep_for(-1h);
}

BOOST_AUTO_TEST_SUITE_END()
