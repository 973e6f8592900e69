// SPDX-License-Identifier: BSL-1.0
#include "time/clock.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>

using coir::detail::current_clock;
using coir::detail::time_point;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(virtual_clock)

using coir::detail::virtual_clock;

BOOST_AUTO_TEST_CASE(it_starts_at_a_fixed_instant_that_is_not_zero) {
    const virtual_clock a;
    const virtual_clock b;
    BOOST_TEST((a.now() == b.now()));
    BOOST_TEST((a.now() > time_point{}));
}

BOOST_AUTO_TEST_CASE(it_stands_still_until_it_is_advanced) {
    virtual_clock c;
    const time_point start = c.now();
    BOOST_TEST((c.now() == start));
    c.advance_to(start + 3ns);
    BOOST_TEST((c.now() == start + 3ns));
    c.advance_by(2s);
    BOOST_TEST((c.now() == start + 2s + 3ns));
}

BOOST_AUTO_TEST_CASE(it_never_goes_backwards) {
    virtual_clock c;
    const time_point start = c.now();
    c.advance_to(start - 1h);
    c.advance_by(-1ns);
    BOOST_TEST((c.now() == start));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(clock_scope)

using coir::detail::clock_scope;
using coir::detail::virtual_clock;

BOOST_AUTO_TEST_CASE(without_one_the_time_is_the_steady_clocks) {
    BOOST_TEST(current_clock() == nullptr);
    const time_point before = std::chrono::steady_clock::now();
    const time_point now = coir::detail::now();
    const time_point after = std::chrono::steady_clock::now();
    BOOST_TEST((before <= now && now <= after));
}

BOOST_AUTO_TEST_CASE(scopes_nest_and_null_is_the_steady_clock) {
    virtual_clock c;
    c.advance_by(24h * 365 * 200);
    {
        const clock_scope outer(c);
        BOOST_TEST((coir::detail::now() == c.now()));
        {
            const clock_scope inner(nullptr);
            BOOST_TEST((coir::detail::now() < c.now()));
        }
        BOOST_TEST((coir::detail::now() == c.now()));
        BOOST_TEST(current_clock() == &c);
    }
    BOOST_TEST(current_clock() == nullptr);
}

BOOST_AUTO_TEST_CASE(another_thread_keeps_its_own_clock) {
    const virtual_clock c;
    const clock_scope scope(c);
    const coir::detail::clock* seen = &c;
    std::thread([&] { seen = current_clock(); }).join();
    BOOST_TEST(seen == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
