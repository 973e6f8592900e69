// SPDX-License-Identifier: BSL-1.0
#include "time/timer_queue.hpp"

#include "unit/time/recorded_timer.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <memory>
#include <vector>

using coir::deadline;
using coir::detail::time_point;
using coir::test::firings;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

namespace {

// One of each order of magnitude: within a tick, at the edges of ticks and slots, and years away.
const std::vector<std::int64_t> distances_ns = {1,
                                                1000,
                                                65'535,
                                                65'536,
                                                65'537,
                                                4'194'303,
                                                4'194'304,
                                                268'435'456,
                                                1'000'000'000,
                                                60'000'000'000,
                                                86'400'000'000'000,
                                                31'536'000'000'000'000,
                                                3'153'600'000'000'000'000};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(timer_queue, coir::test::with_timer_queue)

BOOST_AUTO_TEST_CASE(an_empty_queue_is_never_due) {
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.next().is_never());
    BOOST_TEST(queue.fire_due(time_point::max()) == 0u);
}

BOOST_DATA_TEST_CASE_F(coir::test::with_timer_queue, a_timer_fires_when_due_and_never_early,
                       data::make(distances_ns), distance) {
    const time_point due = start + std::chrono::nanoseconds(distance);
    queue.arm(a, due);
    BOOST_TEST(a.is_armed());
    BOOST_TEST(queue.size() == 1u);
    BOOST_TEST((queue.next() == deadline(due)));
    BOOST_TEST(queue.fire_due(due - 1ns) == 0u);
    BOOST_TEST((queue.next() == deadline(due)));
    BOOST_TEST(queue.fire_due(due) == 1u);
    BOOST_TEST(!a.was_armed_when_fired);
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.next().is_never());
}

BOOST_AUTO_TEST_CASE(equal_deadlines_fire_in_insertion_order) {
    for (auto* t : {&c, &a, &d, &b}) {
        queue.arm(*t, start + 1h);
    }
    queue.fire_due(start + 1h);
    BOOST_TEST(fired == (firings{3, 1, 4, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(equal_deadlines_keep_their_order_when_time_passes_between_the_insertions) {
    queue.arm(a, start + 1h);
    queue.fire_due(start + 59min);
    queue.arm(b, start + 1h);
    queue.fire_due(start + 1h - 1ms);
    queue.arm(c, start + 1h);
    queue.fire_due(start + 1h - 1ns);
    queue.arm(d, start + 1h);
    queue.fire_due(start + 1h);
    BOOST_TEST(fired == (firings{1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_DATA_TEST_CASE_F(coir::test::with_timer_queue, a_late_round_fires_in_order_of_deadlines,
                       data::make(distances_ns), distance) {
    const std::chrono::nanoseconds step(distance / 4 + 1);
    queue.arm(d, start + 4 * step);
    queue.arm(b, start + 2 * step);
    queue.arm(a, start + step);
    queue.arm(c, start + 3 * step);
    BOOST_TEST(queue.fire_due(start + 4 * step) == 4u);
    BOOST_TEST(fired == (firings{1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(timers_of_the_current_tick_that_are_not_due_stay) {
    queue.arm(c, start + 30us);
    queue.arm(a, start + 10us);
    queue.arm(b, start + 20us);
    BOOST_TEST(queue.fire_due(start + 20us) == 2u);
    BOOST_TEST(fired == (firings{1, 2}), boost::test_tools::per_element());
    BOOST_TEST((queue.next() == deadline(start + 30us)));
}

BOOST_AUTO_TEST_CASE(a_deadline_in_the_past_is_due_at_once) {
    queue.fire_due(start + 1h);
    queue.arm(c, start + 1h);
    queue.arm(b, start);
    queue.arm(a, deadline::immediately());
    queue.arm(d, start + 1h + 1ns);
    BOOST_TEST((queue.next() == deadline::immediately()));
    BOOST_TEST(queue.fire_due(start + 1h) == 3u);
    BOOST_TEST(fired == (firings{1, 2, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_deadline_of_never_is_not_armed) {
    queue.arm(a, start + 1s);
    queue.arm(a, deadline::never());
    BOOST_TEST(!a.is_armed());
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(the_last_instant_before_never_is_armed) {
    const time_point last = time_point::max() - 1ns;
    queue.arm(a, last);
    BOOST_TEST((queue.next() == deadline(last)));
    BOOST_TEST(queue.fire_due(last - 1ns) == 0u);
    BOOST_TEST(queue.fire_due(last) == 1u);
}

BOOST_AUTO_TEST_CASE(a_cancelled_timer_does_not_fire) {
    queue.arm(a, start + 1s);
    queue.arm(b, start + 1s);
    queue.cancel(a);
    BOOST_TEST(!a.is_armed());
    BOOST_TEST(queue.size() == 1u);
    BOOST_TEST(queue.fire_due(start + 2s) == 1u);
    BOOST_TEST(fired == (firings{2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(cancelling_what_is_not_armed_does_nothing) {
    queue.cancel(a);
    queue.arm(a, start + 1s);
    queue.cancel(a);
    queue.cancel(a);
    BOOST_TEST(queue.empty());
    queue.arm(a, start + 1s);
    queue.fire_due(start + 1s);
    queue.cancel(a);
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(arming_an_armed_timer_moves_it_behind_its_equals) {
    queue.arm(a, start + 1s);
    queue.arm(b, start + 1s);
    queue.arm(a, start + 1s);
    BOOST_TEST(queue.size() == 2u);
    queue.fire_due(start + 1s);
    BOOST_TEST(fired == (firings{2, 1}), boost::test_tools::per_element());
}

// Goal: who wakes at next() gets to the timer, though the bounds of cancelled timers wake him
// early. Method: cancelled timers are left before a live one at every distance, and the steps are
// counted: each enters a slot, and there are at most a few on each of the eight levels.
BOOST_DATA_TEST_CASE_F(coir::test::with_timer_queue, stale_bounds_make_progress,
                       data::make(distances_ns), distance) {
    const time_point due = start + std::chrono::nanoseconds(distance);
    queue.arm(b, start + std::chrono::nanoseconds(distance / 2));
    queue.arm(c, start + std::chrono::nanoseconds(distance - distance / 16));
    queue.arm(d, due - 1ns);
    queue.arm(a, due);
    for (auto* t : {&b, &c, &d}) {
        queue.cancel(*t);
    }
    int steps = 0;
    deadline before = deadline::immediately();
    while (!queue.empty() && steps < 100) {
        const deadline next = queue.next();
        BOOST_TEST((next > before && next <= deadline(due)));
        queue.fire_due(next.time());
        before = next;
        ++steps;
    }
    BOOST_TEST(steps < 20);
    BOOST_TEST(fired == (firings{1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_bound_of_a_slot_that_was_emptied_is_forgotten) {
    queue.arm(a, start + 1h);
    queue.arm(b, start + 100h);
    queue.cancel(a);
    BOOST_TEST((queue.next() == deadline(start + 100h)));
    queue.cancel(b);
    BOOST_TEST(queue.next().is_never());
}

BOOST_AUTO_TEST_CASE(the_last_within_the_slack_is_the_last_that_is_due_by_then) {
    queue.arm(a, start + 1ms);
    queue.arm(c, start + 1ms + 51us);
    queue.arm(b, start + 1ms + 50us);
    queue.fire_due(start + 1ms - 1ns);  // they are close at hand
    BOOST_TEST((queue.last_within(50us) == deadline(start + 1ms + 50us)));
    BOOST_TEST((queue.last_within(49us) == deadline(start + 1ms)));
    BOOST_TEST((queue.last_within(0ns) == deadline(start + 1ms)));
    BOOST_TEST((queue.last_within(-1ns) == deadline(start + 1ms)));
    BOOST_TEST((queue.next() == deadline(start + 1ms)));
}

BOOST_DATA_TEST_CASE_F(coir::test::with_timer_queue, a_lone_timer_gets_no_slack,
                       data::make(distances_ns), distance) {
    BOOST_TEST(queue.last_within(50us).is_never());
    queue.arm(a, start + std::chrono::nanoseconds(distance));
    BOOST_TEST((queue.last_within(50us) == a.due));
}

BOOST_AUTO_TEST_CASE(the_slack_does_not_reach_beyond_the_end_of_time) {
    queue.arm(a, time_point::max() - 1us);
    queue.fire_due(time_point::max() - 2us);
    BOOST_TEST((queue.last_within(50us) == deadline(time_point::max() - 1us)));
}

BOOST_AUTO_TEST_CASE(what_was_collected_is_fired_in_pieces_and_may_be_cancelled_meanwhile) {
    static int soon = 0;
    static int next = 0;
    soon = next = 0;
    const coir::detail::timer_queue::forecast counted = {
        [](const coir::detail::timer&) noexcept { ++soon; },
        [](const coir::detail::timer&) noexcept { ++next; },
    };
    queue.arm(d, start + 4ms);
    queue.arm(b, start + 2ms);
    queue.arm(a, start + 1ms);
    queue.arm(c, start + 3ms);
    queue.collect_due(start + 4ms);
    BOOST_TEST(queue.size() == 4u);
    queue.fire_collected(2, counted);
    BOOST_TEST(fired == (firings{1, 2}), boost::test_tools::per_element());
    BOOST_TEST(soon == 2);
    BOOST_TEST(next == 2);
    BOOST_TEST(queue.has_collected());
    BOOST_TEST((queue.next() == deadline(start + 3ms)));
    queue.cancel(c);
    queue.arm(a, start + 1ms);
    queue.collect_due(start + 4ms);
    queue.fire_collected(9, counted);
    BOOST_TEST(fired == (firings{1, 2, 4, 1}), boost::test_tools::per_element());
    BOOST_TEST(!queue.has_collected());
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(a_queue_that_knows_no_time_yet_takes_any) {
    coir::detail::timer_queue fresh;
    fresh.arm(b, start + 2ns);
    fresh.arm(a, start + 1ns);
    BOOST_TEST(fresh.fire_due(start) == 0u);
    BOOST_TEST((fresh.next() == deadline(start + 1ns)));
    BOOST_TEST(fresh.fire_due(start + 2ns) == 2u);
    BOOST_TEST(fired == (firings{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_time_that_went_back_fires_only_what_is_due_then) {
    queue.fire_due(start + 1h);
    queue.arm(a, start);
    queue.arm(b, start + 1h);
    BOOST_TEST(queue.fire_due(start - 1ns) == 0u);
    BOOST_TEST(queue.fire_due(start) == 1u);
    BOOST_TEST((queue.next() == deadline(start + 1h)));
    BOOST_TEST(queue.fire_due(start + 1h) == 1u);
}

// Goal: numbers do not matter. Method: a million timers over an hour, out of order; every third is
// cancelled; the rest must come in order, and none early.
BOOST_AUTO_TEST_CASE(a_million_timers_fire_in_order) {
    struct counted : coir::detail::timer {
        counted() : timer(&counted::count) {}
        static void count(timer& t) noexcept {
            auto& self = static_cast<counted&>(t);
            ++*self.fired;
            *self.in_order = *self.in_order && *self.last <= t.due;
            *self.last = t.due;
        }
        std::size_t* fired = nullptr;
        bool* in_order = nullptr;
        deadline* last = nullptr;
    };
    constexpr std::size_t count = 1'000'000;
    std::size_t fired_count = 0;
    bool in_order = true;
    deadline last = deadline::immediately();
    const auto timers = std::make_unique<counted[]>(count);
    std::uint64_t random = 1;
    for (std::size_t i = 0; i != count; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        counted& t = timers[i];
        t.fired = &fired_count;
        t.in_order = &in_order;
        t.last = &last;
        queue.arm(t, start + std::chrono::nanoseconds((random >> 20) % 3'600'000'000'000));
    }
    for (std::size_t i = 0; i < count; i += 3) {
        queue.cancel(timers[i]);
    }
    bool early = false;
    for (time_point now = start; now <= start + 1h; now += 7s) {
        queue.fire_due(now);
        early = early || last > now;
    }
    queue.fire_due(start + 1h);
    BOOST_TEST(!early);
    BOOST_TEST(in_order);
    BOOST_TEST(fired_count == count - (count + 2) / 3);
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_SUITE_END()
