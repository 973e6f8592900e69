// SPDX-License-Identifier: BSL-1.0
#include "reactor/poll_timeout.hpp"

#include "time/clock.hpp"

#include <coir/deadline.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <climits>
#include <ctime>
#include <ostream>

using coir::deadline;
using coir::detail::clock_scope;
using coir::detail::poll_timeout;
using coir::detail::virtual_clock;
using namespace std::chrono_literals;

namespace {

// A clock that stands still, so that what is left is exact.
struct standing_time {
    virtual_clock time;
    clock_scope current{time};
};

struct rounding {
    std::chrono::nanoseconds left;
    int milliseconds;
    friend std::ostream& operator<<(std::ostream& out, const rounding& r) {
        return out << r.left.count() << " ns";
    }
};

const rounding roundings[] = {
    {1ns, 1},
    {999'999ns, 1},
    {1ms, 1},
    {1'000'001ns, 2},
    {1500us, 2},
    {2ms - 1ns, 2},
    {1s, 1000},
    {1s + 1ns, 1001},
    {std::chrono::milliseconds(INT_MAX - 1), INT_MAX - 1},
    {std::chrono::milliseconds(INT_MAX), INT_MAX},
};

std::chrono::nanoseconds duration_of(const timespec& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(poll_timeouts)

BOOST_DATA_TEST_CASE(milliseconds_are_rounded_up, roundings, one) {
    const standing_time still;
    BOOST_TEST(poll_timeout(deadline::after(one.left)).as_milliseconds() == one.milliseconds);
}

BOOST_DATA_TEST_CASE(a_timespec_is_exact, roundings, one) {
    const standing_time still;
    const poll_timeout timeout(deadline::after(one.left));
    const timespec* const spec = timeout.as_timespec();
    BOOST_TEST_REQUIRE(spec != nullptr);
    BOOST_TEST((duration_of(*spec) == one.left));
    BOOST_TEST(spec->tv_nsec >= 0);
    BOOST_TEST(spec->tv_nsec < 1'000'000'000);
}

BOOST_AUTO_TEST_CASE(never_is_for_ever) {
    const poll_timeout timeout(deadline::never());
    BOOST_TEST(timeout.as_timespec() == nullptr);
    BOOST_TEST(timeout.as_milliseconds() == -1);
}

BOOST_AUTO_TEST_CASE(what_has_passed_only_looks) {
    standing_time still;
    const deadline soon = deadline::after(1ms);
    still.time.advance_by(1h);
    for (const deadline until : {deadline::immediately(), soon}) {
        const poll_timeout timeout(until);
        BOOST_TEST(timeout.as_milliseconds() == 0);
        BOOST_TEST_REQUIRE(timeout.as_timespec() != nullptr);
        BOOST_TEST((duration_of(*timeout.as_timespec()) == 0ns));
    }
}

// -1 would be for ever, and less than that is undefined.
BOOST_AUTO_TEST_CASE(what_no_int_holds_is_the_longest_wait_and_not_for_ever) {
    const standing_time still;
    for (const auto left : {std::chrono::nanoseconds(std::chrono::milliseconds(INT_MAX) + 1ns),
                            std::chrono::nanoseconds(24h * 365 * 200)}) {
        const poll_timeout timeout(deadline::after(left));
        BOOST_TEST(timeout.as_milliseconds() == INT_MAX);
        BOOST_TEST_REQUIRE(timeout.as_timespec() != nullptr);
        BOOST_TEST((duration_of(*timeout.as_timespec()) == left));
    }
}

BOOST_AUTO_TEST_SUITE_END()
