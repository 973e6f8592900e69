// SPDX-License-Identifier: BSL-1.0
#include "time/timer_queue.hpp"

#include "unit/time/recorded_timer.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>

using coir::deadline;
using coir::test::firings;
using coir::test::recorded_timer;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(timer_queue_callbacks, coir::test::with_timer_queue)

BOOST_AUTO_TEST_CASE(a_due_timer_that_an_earlier_callback_cancels_does_not_fire) {
    queue.arm(a, start + 1ms);
    queue.arm(b, start + 1ms);
    queue.arm(c, start + 2ms);
    queue.arm(d, start + 3ms);
    a.then = [&] {
        queue.cancel(b);
        queue.cancel(c);
    };
    BOOST_TEST(queue.fire_due(start + 1s) == 2u);
    BOOST_TEST(fired == (firings{1, 4}), boost::test_tools::per_element());
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(a_timer_that_arms_itself_anew_fires_once_a_round) {
    queue.arm(a, start + 1ms);
    a.then = [&] {
        queue.arm(a, deadline::immediately());
    };
    BOOST_TEST(queue.fire_due(start + 1s) == 1u);
    BOOST_TEST(a.is_armed());
    BOOST_TEST(queue.fire_due(start + 1s) == 1u);
    BOOST_TEST(queue.fire_due(start + 2s) == 1u);
}

BOOST_AUTO_TEST_CASE(what_a_callback_arms_waits_for_the_next_round_even_if_due) {
    queue.arm(a, start + 1ms);
    queue.arm(c, start + 3ms);
    a.then = [&] {
        queue.arm(b, start + 2ms);
    };
    BOOST_TEST(queue.fire_due(start + 1s) == 2u);
    BOOST_TEST((queue.next() == deadline(start + 2ms)));
    BOOST_TEST(queue.fire_due(start + 1s) == 1u);
    BOOST_TEST(fired == (firings{1, 3, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_callback_may_put_off_a_due_timer) {
    queue.arm(a, start + 1ms);
    queue.arm(b, start + 2ms);
    a.then = [&] {
        queue.arm(b, start + 1h);
    };
    BOOST_TEST(queue.fire_due(start + 1s) == 1u);
    BOOST_TEST((queue.next() == deadline(start + 1h)));
    BOOST_TEST(queue.fire_due(start + 1h) == 1u);
}

BOOST_AUTO_TEST_CASE(a_callback_may_destroy_its_timer) {
    auto owned = std::make_unique<recorded_timer>(fired, 9);
    recorded_timer& t = *owned;
    // The callable lives in the timer, so it must not be running when the timer dies: the plain
    // function does it.
    static std::unique_ptr<recorded_timer>* to_destroy;
    to_destroy = &owned;
    t.fire = [](coir::detail::timer&) noexcept {
        to_destroy->reset();
    };
    queue.arm(t, start + 1ms);
    queue.arm(b, start + 1ms);
    BOOST_TEST(queue.fire_due(start + 1ms) == 2u);
    BOOST_TEST(!owned);
    BOOST_TEST(fired == (firings{2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_callback_sees_the_timers_that_are_still_to_fire) {
    queue.arm(a, start + 1ms);
    queue.arm(b, start + 2ms);
    a.then = [&] {
        BOOST_TEST(queue.size() == 1u);
        BOOST_TEST(b.is_armed());
        BOOST_TEST((queue.next() == deadline(start + 2ms)));
    };
    BOOST_TEST(queue.fire_due(start + 1s) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
