// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/barrier.hpp>

#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>

using coir::barrier;
using coir::fiber;
using coir::test::elapsed;
using coir::test::is;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(barriers)

FIBER_TEST_CASE(all_pass_together_phase_by_phase) {
    barrier b(3);
    std::string trace;
    std::deque<fiber> fibers;
    for (int i = 1; i <= 3; ++i) {
        fibers.emplace_back([&, i] {
            for (char phase = 'a'; phase <= 'c'; ++phase) {
                coir::this_fiber::sleep_for(i * 1ms);
                b.arrive_and_wait();
                trace += phase;
            }
        });
    }
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST(trace == "aaabbbccc");
    BOOST_TEST((elapsed() == 9ms));
}

FIBER_TEST_CASE(the_last_to_arrive_calls_the_completion_before_anybody_passes) {
    int completed = 0;
    auto complete = [&]() noexcept {
        coir::this_fiber::sleep_for(1ms);  // it may wait: no lock is held
        ++completed;
    };
    barrier b(2, complete);
    fiber first([&] {
        b.arrive_and_wait();
        BOOST_TEST(completed == 1);
        b.arrive_and_wait();
        BOOST_TEST(completed == 2);
    });
    coir::this_fiber::yield();
    b.arrive_and_wait();
    BOOST_TEST(completed == 1);
    b.arrive_and_wait();
    BOOST_TEST(completed == 2);
    first.join();
}

FIBER_TEST_CASE(one_may_arrive_now_and_wait_later) {
    barrier b(2);
    auto arrival = b.arrive();
    bool passed = false;
    fiber other([&] {
        b.arrive_and_wait();
        passed = true;
    });
    other.join();
    BOOST_TEST(passed);
    b.wait(std::move(arrival));  // of a phase that is over
    static_cast<void>(b.arrive(2));
    b.wait(b.arrive(2));
}

FIBER_TEST_CASE(who_drops_is_not_expected_any_more) {
    barrier b(2);
    fiber other([&] {
        for (int i = 0; i < 3; ++i) {
            b.arrive_and_wait();
        }
    });
    coir::this_fiber::yield();
    b.arrive_and_drop();
    other.join();
    BOOST_TEST((elapsed() == 0ms));
}

FIBER_TEST_CASE(both_waits_are_cancellation_points) {
    barrier b(2);
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] {
        auto over = b.arrive(2);
        BOOST_CHECK_THROW(b.wait(std::move(over)), coir::operation_cancelled);
        BOOST_CHECK_THROW(b.arrive_and_wait(), coir::operation_cancelled);
    });
    // That one has not arrived: two are missing still.
    static_cast<void>(b.arrive(2));
    BOOST_CHECK_THROW(coir::with_timeout(2ms, [&] { b.arrive_and_wait(); }), coir::timed_out);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(the_arrival_of_one_that_is_cancelled_later_stands) {
    barrier b(2);
    fiber cancelled([&] { b.arrive_and_wait(); });
    coir::this_fiber::yield();
    cancelled.cancel();
    cancelled.join();
    b.arrive_and_wait();
    BOOST_TEST((elapsed() == 0ms));
}

FIBER_TEST_CASE(numbers_out_of_range_are_refused) {
    BOOST_CHECK_THROW(barrier(-1), std::invalid_argument);
    barrier b(2);
    BOOST_CHECK_THROW(static_cast<void>(b.arrive(0)), std::invalid_argument);
    BOOST_CHECK_EXCEPTION(
        static_cast<void>(b.arrive(3)), std::system_error,
        is(std::errc::value_too_large, "coir::barrier::arrive: 3 arrive where 2 are missing"));
    b.arrive_and_drop();
    b.arrive_and_drop();
    BOOST_CHECK_EXCEPTION(b.arrive_and_drop(), std::system_error,
                          is(std::errc::value_too_large, "coir::barrier::arrive_and_drop"));
}

BOOST_AUTO_TEST_SUITE_END()
