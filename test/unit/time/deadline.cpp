// SPDX-License-Identifier: BSL-1.0
#include <coir/deadline.hpp>

#include "time/clock.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <type_traits>

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

namespace {

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();

struct on_virtual_clock {
    coir::detail::virtual_clock clock;
    coir::detail::clock_scope scope{clock};
    coir::deadline::time_point start = clock.now();
};

void sleep_until(coir::deadline) {}  // what takes a deadline takes the instants of std as well

}  // namespace

BOOST_FIXTURE_TEST_SUITE(deadline, on_virtual_clock)

using coir::deadline;

static_assert(std::is_trivially_copyable_v<deadline> && sizeof(deadline) == 8);
static_assert(std::is_convertible_v<std::chrono::system_clock::time_point, deadline>);
static_assert(!std::is_convertible_v<std::chrono::seconds, deadline>);

BOOST_AUTO_TEST_CASE(a_default_one_is_never) {
    BOOST_TEST(deadline().is_never());
    BOOST_TEST((deadline() == deadline::never()));
    BOOST_TEST((deadline::never().time() == deadline::time_point::max()));
}

BOOST_AUTO_TEST_CASE(never_does_not_pass) {
    clock.advance_to(deadline::time_point::max());
    BOOST_TEST(!deadline::never().has_passed());
    BOOST_TEST((deadline::never().remaining() == deadline::duration::max()));
}

BOOST_AUTO_TEST_CASE(immediately_has_passed) {
    BOOST_TEST(deadline::immediately().has_passed());
    BOOST_TEST((deadline::immediately().remaining() == 0ns));
    BOOST_TEST(!deadline::immediately().is_never());
}

BOOST_AUTO_TEST_CASE(it_has_passed_at_the_instant_itself_and_not_a_nanosecond_before) {
    const deadline d = deadline::after(10ms);
    BOOST_TEST((d.time() == start + 10ms));
    clock.advance_by(10ms - 1ns);
    BOOST_TEST(!d.has_passed());
    BOOST_TEST((d.remaining() == 1ns));
    clock.advance_by(1ns);
    BOOST_TEST(d.has_passed());
    BOOST_TEST((d.remaining() == 0ns));
}

BOOST_AUTO_TEST_CASE(a_duration_of_zero_or_less_has_passed_already) {
    BOOST_TEST(deadline::after(0s).has_passed());
    BOOST_TEST(deadline::after(-1ns).has_passed());
    BOOST_TEST((deadline::after(-1s) == deadline::immediately()));
    BOOST_TEST(deadline::after(std::chrono::hours::min()).has_passed());
    BOOST_TEST(deadline::after(std::chrono::nanoseconds::min() + 1ns).has_passed());
}

BOOST_AUTO_TEST_CASE(a_duration_that_the_clock_cannot_reach_is_never) {
    BOOST_TEST(deadline::after(std::chrono::hours::max()).is_never());
    BOOST_TEST(deadline::after(std::chrono::nanoseconds::max()).is_never());
    BOOST_TEST(deadline::after(std::chrono::nanoseconds::max() - 1ns).is_never());
    BOOST_TEST(deadline::after(std::chrono::duration<double>(1e300)).is_never());
    BOOST_TEST(deadline::after(std::chrono::duration<double>::max()).is_never());
    const double infinity = std::numeric_limits<double>::infinity();
    BOOST_TEST(deadline::after(std::chrono::duration<double>(infinity)).is_never());
    BOOST_TEST(deadline::after(std::chrono::duration<double>(-infinity)).has_passed());
}

BOOST_AUTO_TEST_CASE(nan_has_passed_already) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    BOOST_TEST((deadline::after(std::chrono::duration<double>(nan)) == deadline::immediately()));
}

BOOST_AUTO_TEST_CASE(an_instant_is_rounded_up_and_saturated_too) {
    using picoseconds = std::chrono::duration<std::int64_t, std::pico>;
    using std::chrono::steady_clock;
    using std::chrono::time_point;
    BOOST_TEST((deadline::at(start).time() == start));
    BOOST_TEST((deadline::at(time_point<steady_clock, picoseconds>(picoseconds(1001))).time() ==
                deadline::time_point(2ns)));
    BOOST_TEST((deadline::at(time_point<steady_clock, std::chrono::hours>::max()).is_never()));
    BOOST_TEST((deadline::at(time_point<steady_clock, std::chrono::hours>::min()) ==
                deadline::immediately()));
}

BOOST_AUTO_TEST_CASE(an_instant_of_another_clock_keeps_its_distance) {
    using std::chrono::system_clock;
    const auto other_before = system_clock::now();
    const deadline d = deadline::at(other_before + 1h);
    const auto passed = system_clock::now() - other_before;
    BOOST_TEST((d.time() <= start + 1h));
    BOOST_TEST((d.time() >= start + 1h - passed));
    BOOST_TEST(deadline::at(system_clock::time_point::max()).is_never());
    BOOST_TEST(deadline::at(system_clock::time_point::min()).has_passed());
}

BOOST_AUTO_TEST_CASE(instants_convert_implicitly) {
    sleep_until(start + 1s);
    sleep_until(std::chrono::system_clock::now() + 1s);
}

BOOST_AUTO_TEST_CASE(instants_compare_from_immediately_to_never) {
    const deadline early = deadline::at(start);
    const deadline late = deadline::at(start + 1ns);
    BOOST_TEST((early == deadline::at(start)));
    BOOST_TEST((early != late && early < late && early <= late && late > early && late >= early));
    BOOST_TEST((deadline::immediately() < early && late < deadline::never()));
    BOOST_TEST((std::min(late, early) == early));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(saturating_nanoseconds)

using coir::detail::saturating_nanoseconds;

BOOST_AUTO_TEST_CASE(finer_units_are_rounded_up) {
    using picoseconds = std::chrono::duration<std::int64_t, std::pico>;
    BOOST_TEST(saturating_nanoseconds(picoseconds(1)) == 1);
    BOOST_TEST(saturating_nanoseconds(picoseconds(1000)) == 1);
    BOOST_TEST(saturating_nanoseconds(picoseconds(1001)) == 2);
    BOOST_TEST(saturating_nanoseconds(picoseconds(-1)) == 0);
    BOOST_TEST(saturating_nanoseconds(picoseconds(-1001)) == -1);
    BOOST_TEST(saturating_nanoseconds(picoseconds::max()) == greatest / 1000 + 1);
}

BOOST_AUTO_TEST_CASE(odd_periods_are_rounded_up) {
    using frames = std::chrono::duration<std::int64_t, std::ratio<1, 30>>;
    BOOST_TEST(saturating_nanoseconds(frames(1)) == 33'333'334);
    BOOST_TEST(saturating_nanoseconds(frames(-1)) == -33'333'333);
    BOOST_TEST(saturating_nanoseconds(frames(3)) == 100'000'000);
    BOOST_TEST(saturating_nanoseconds(frames::max()) == greatest);
    BOOST_TEST(saturating_nanoseconds(frames::min()) == least);
}

BOOST_AUTO_TEST_CASE(real_numbers_are_rounded_up) {
    using seconds = std::chrono::duration<double>;
    using nanoseconds = std::chrono::duration<double, std::nano>;
    BOOST_TEST(saturating_nanoseconds(seconds(0.25)) == 250'000'000);
    BOOST_TEST(saturating_nanoseconds(nanoseconds(0.001)) == 1);
    BOOST_TEST(saturating_nanoseconds(nanoseconds(1.5)) == 2);
    BOOST_TEST(saturating_nanoseconds(nanoseconds(-1.5)) == -1);
    BOOST_TEST(saturating_nanoseconds(std::chrono::duration<float>(0.5f)) == 500'000'000);
    BOOST_TEST(saturating_nanoseconds(nanoseconds(9.3e18)) == greatest);
    BOOST_TEST(saturating_nanoseconds(nanoseconds(-9.3e18)) == least);
}

BOOST_AUTO_TEST_CASE(counts_of_any_integer_type_are_taken) {
    using u64 = std::chrono::duration<std::uint64_t, std::nano>;
    using u8 = std::chrono::duration<std::uint8_t>;
    BOOST_TEST(saturating_nanoseconds(u64::max()) == greatest);
    BOOST_TEST(saturating_nanoseconds(u64(5)) == 5);
    BOOST_TEST(saturating_nanoseconds(u8(255)) == 255'000'000'000);
}

// The law: from the last count of a coarse unit that fits on, the result is exact below and
// saturated above, on both sides of zero.
BOOST_DATA_TEST_CASE(coarse_units_saturate_exactly_where_they_no_longer_fit,
                     data::make({0, 1, 2, 1000}), beyond) {
    constexpr std::int64_t last = greatest / 1'000'000'000;
    const std::chrono::seconds fits(last - beyond);
    const std::chrono::seconds exceeds(last + 1 + beyond);
    BOOST_TEST(saturating_nanoseconds(fits) == (last - beyond) * 1'000'000'000);
    BOOST_TEST(saturating_nanoseconds(-fits) == -(last - beyond) * 1'000'000'000);
    BOOST_TEST(saturating_nanoseconds(exceeds) == greatest);
    BOOST_TEST(saturating_nanoseconds(-exceeds) == least);
}

BOOST_AUTO_TEST_SUITE_END()
