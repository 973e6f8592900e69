// SPDX-License-Identifier: BSL-1.0
#include "net/posix_timespec.hpp"

#include "time/clock.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

using namespace coir::detail;
using coir::deadline;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(posix_timespec)

BOOST_AUTO_TEST_CASE(nanoseconds_out_of_range_and_negative_seconds_are_invalid) {
    BOOST_TEST(is_valid({0, 0}));
    BOOST_TEST(is_valid({5, 999'999'999}));
    BOOST_TEST(!is_valid({0, 1'000'000'000}));
    BOOST_TEST(!is_valid({0, -1}));
    BOOST_TEST(!is_valid({-1, 0}));
}

BOOST_AUTO_TEST_CASE(a_duration_is_exact) {
    const virtual_clock time;
    const clock_scope scope(time);
    BOOST_TEST((deadline_after({2, 3}).remaining() == 2s + 3ns));
    BOOST_TEST((deadline_at({2, 3}).time().time_since_epoch() == 2s + 3ns));
}

BOOST_AUTO_TEST_CASE(a_time_too_long_for_the_clock_is_never) {
    const timespec for_ever{std::numeric_limits<time_t>::max(), 999'999'999};
    BOOST_TEST(deadline_after(for_ever).is_never());
    BOOST_TEST(deadline_at(for_ever).is_never());
}

BOOST_AUTO_TEST_CASE(durations_and_microseconds_become_timespecs) {
    const timespec a = to_timespec(2s + 3ns);
    BOOST_TEST(a.tv_sec == 2);
    BOOST_TEST(a.tv_nsec == 3);
    const timespec b = to_timespec(timeval{3, 7'000'001});
    BOOST_TEST(b.tv_sec == 10);
    BOOST_TEST(b.tv_nsec == 1'000);
}

BOOST_AUTO_TEST_SUITE_END()
