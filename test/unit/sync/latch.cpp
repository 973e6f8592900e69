// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/latch.hpp>

#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

using coir::fiber;
using coir::latch;
using coir::test::elapsed;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(latches)

FIBER_TEST_CASE(everybody_passes_when_it_is_down) {
    latch l(3);
    int passed = 0;
    std::deque<fiber> fibers;
    for (int i = 0; i < 2; ++i) {
        fibers.emplace_back([&] {
            l.wait();
            ++passed;
        });
    }
    coir::this_fiber::yield();
    l.count_down();
    BOOST_TEST(!l.try_wait());
    coir::this_fiber::sleep_for(1ms);
    BOOST_TEST(passed == 0);
    l.count_down(2);
    BOOST_TEST(l.try_wait());
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST(passed == 2);
    l.wait();
}

FIBER_TEST_CASE(those_who_arrive_wait_for_each_other) {
    latch l(3);
    std::deque<fiber> fibers;
    for (int i = 1; i <= 3; ++i) {
        fibers.emplace_back([&, i] {
            coir::this_fiber::sleep_for(i * 1ms);
            l.arrive_and_wait();
            BOOST_TEST((elapsed() == 3ms));
        });
    }
    for (fiber& f : fibers) {
        f.join();
    }
}

FIBER_TEST_CASE(a_latch_of_nothing_is_down) {
    latch l(0);
    BOOST_TEST(l.try_wait());
    l.wait();
    l.count_down(0);
}

FIBER_TEST_CASE(a_wait_ends_at_its_deadline) {
    latch l(1);
    BOOST_TEST(!l.wait_for(2ms));
    BOOST_TEST((elapsed() == 2ms));
    l.count_down();
    BOOST_TEST(l.wait_until(coir::deadline::immediately()));
}

FIBER_TEST_CASE(every_wait_is_a_cancellation_point_although_it_is_down) {
    latch down(0);
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] {
        BOOST_CHECK_THROW(down.wait(), coir::operation_cancelled);
        BOOST_CHECK_THROW(down.wait_for(1ms), coir::operation_cancelled);
    });
    latch l(1);
    BOOST_CHECK_THROW(coir::with_timeout(2ms, [&] { l.wait(); }), coir::timed_out);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(an_arrival_counts_unless_it_was_cancelled_before) {
    latch l(2);
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] { BOOST_CHECK_THROW(l.arrive_and_wait(), coir::operation_cancelled); });
    fiber arriving([&] { l.arrive_and_wait(); });
    coir::this_fiber::yield();
    arriving.cancel();
    arriving.join();
    BOOST_TEST(!l.try_wait());
    l.count_down();
    BOOST_TEST(l.try_wait());
}

FIBER_TEST_CASE(counts_out_of_range_are_refused) {
    static_assert(latch::max() == std::numeric_limits<std::ptrdiff_t>::max());
    BOOST_CHECK_EXCEPTION(latch(-1), std::invalid_argument, [](const std::invalid_argument& e) {
        return std::string(e.what()) == "coir::latch: a count of -1 is negative";
    });
    latch l(2);
    BOOST_CHECK_THROW(l.count_down(-1), std::invalid_argument);
    BOOST_CHECK_EXCEPTION(
        l.count_down(3), std::system_error,
        coir::test::is(std::errc::value_too_large, "coir::latch::count_down(3) with 2 left"));
    l.count_down(2);
    BOOST_CHECK_THROW(l.count_down(), std::system_error);
}

// See events: who_has_passed_may_destroy_it.
FIBER_TEST_CASE(who_has_passed_may_destroy_it) {
    for (int i = 0; i < 200; ++i) {
        std::optional<latch> l(std::in_place, 2);
        std::thread counting([&] { l->count_down(); });
        if (i % 2 == 0) {
            l->arrive_and_wait();
        } else {
            l->count_down();
            while (!l->try_wait()) {
            }
        }
        l.reset();
        counting.join();
    }
}

BOOST_AUTO_TEST_SUITE_END()
