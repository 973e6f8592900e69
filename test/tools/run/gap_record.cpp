// SPDX-License-Identifier: BSL-1.0
#include "gap_record.hpp"
#include "gap_report.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace {

using namespace coir::run_tool;
using namespace std::chrono_literals;
using coir::hook::detail::computing;

struct running_record : gap_record {
    running_record() {
        interval = 1ms;
        threshold = 10ms;
        reached = stage::running;
    }

    void gap(nanoseconds duration) { end_gap(last_tick.load() + duration); }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(coir_run_gaps)

BOOST_AUTO_TEST_CASE(the_longest_gap_is_kept_with_what_was_seen_most_in_it) {
    running_record record;
    record.add_look(5);
    record.gap(20ms);
    for (const activity at : {1, 2, 2}) {
        record.add_look(at);
    }
    record.gap(30ms);
    record.add_look(3);
    record.gap(25ms);
    BOOST_TEST((record.longest == 30ms));
    BOOST_TEST(record.longest_at == 2);
}

BOOST_AUTO_TEST_CASE(what_is_seen_in_a_gap_counts_for_no_other) {
    running_record record;
    for (int i = 0; i < 5; ++i) {
        record.add_look(7);
    }
    record.gap(10ms);
    record.add_look(8);
    record.gap(11ms);
    BOOST_TEST(record.longest_at == 8);
}

BOOST_AUTO_TEST_CASE(a_gap_that_nobody_has_looked_into_is_put_down_to_nothing) {
    running_record record;
    record.gap(10ms);
    BOOST_TEST(record.longest_at == unseen);
    BOOST_TEST(
        has(describe(record, "program"), "longest gap 10.0 ms, too short to be looked into"));
}

BOOST_AUTO_TEST_CASE(a_tick_is_overdue_when_a_look_has_passed_since_it_was_due) {
    running_record record;
    record.last_tick = 5s;
    BOOST_TEST(!record.is_overdue(5s + 2ms));
    BOOST_TEST(record.is_overdue(5s + 2ms + 1ns));
    record.interval = 1s;
    BOOST_TEST((record.look_period() == 1ms));
    BOOST_TEST(!record.is_overdue(6s + 1ms));
    BOOST_TEST(record.is_overdue(6s + 1ms + 1ns));
}

BOOST_AUTO_TEST_CASE(gaps_of_the_threshold_and_more_are_summed_up) {
    running_record record;
    for (const nanoseconds duration : {9ms, 10ms, 20ms}) {
        record.add_look(computing);
        record.gap(duration);
    }
    record.add_look(asleep);
    record.gap(50ms);
    const std::string text = describe(record, "program");
    const auto first = text.find("1 gap of 10.0 ms and more, 50.0 ms in all, while nothing");
    const auto second = text.find("2 gaps of 10.0 ms and more, 30.0 ms in all, in no system call");
    BOOST_TEST(first != text.npos, text);
    BOOST_TEST((second != text.npos && first < second), text);
}

BOOST_AUTO_TEST_CASE(more_kinds_of_gaps_than_there_is_room_for_lose_no_time) {
    running_record record;
    for (activity at = 0; at < 100; ++at) {
        record.add_look(at);
        record.gap(10ms);
    }
    nanoseconds sum{};
    for (const auto& one : record.sums) {
        sum += one.duration;
    }
    BOOST_TEST((sum == 1s));
}

BOOST_AUTO_TEST_CASE(more_kinds_of_activity_in_a_gap_than_there_is_room_for_are_left_out) {
    running_record record;
    for (activity at = 0; at < 100; ++at) {
        record.add_look(at);
    }
    record.add_look(3);
    record.gap(100ms);
    BOOST_TEST(record.longest_at == 3);
}

BOOST_AUTO_TEST_CASE(a_program_that_was_not_measured_is_said_to_be_none) {
    gap_record record;
    BOOST_TEST(has(describe(record, "program"), "program did not load coir's libraries"));
    record.reached = gap_record::stage::not_begun;
    BOOST_TEST(has(describe(record, "program"), "nothing was measured"));
}

BOOST_AUTO_TEST_SUITE_END()
