// SPDX-License-Identifier: BSL-1.0
#include "net/posix_retry_pace.hpp"

#include "time/clock.hpp"

#include <boost/test/unit_test.hpp>

using namespace coir::detail;
using std::chrono::milliseconds;

namespace {

struct paced_wait {
    virtual_clock time;
    clock_scope scope{time};
    retry_pace pace;

    // A wait that takes so long and is in vain. @returns the pause before the next one.
    milliseconds wait(milliseconds duration) {
        pace.wait_begins();
        time.advance_by(duration);
        return pace.before_next_wait();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(posix_retry_pace, paced_wait)

BOOST_AUTO_TEST_CASE(the_first_wait_is_not_paced) {
    BOOST_TEST(pace.before_next_wait().count() == 0);
}

BOOST_AUTO_TEST_CASE(readiness_that_somebody_else_took_is_awaited_again_at_once) {
    for (int i = 0; i < 100; ++i) {
        BOOST_TEST(wait(milliseconds(2)).count() == 0);
    }
}

BOOST_AUTO_TEST_CASE(waits_that_end_at_once_in_vain_are_paced) {
    for (const long expected : {0, 0, 1, 2, 4, 8, 16, 16, 16}) {
        BOOST_TEST(wait(milliseconds(0)).count() == expected);
    }
}

BOOST_AUTO_TEST_CASE(a_long_wait_or_progress_ends_the_pacing) {
    for (int i = 0; i < 5; ++i) {
        wait(milliseconds(0));
    }
    BOOST_TEST(wait(milliseconds(2)).count() == 0);
    BOOST_TEST(wait(milliseconds(0)).count() == 0);
    BOOST_TEST(wait(milliseconds(0)).count() == 0);
    BOOST_TEST(wait(milliseconds(0)).count() == 1);
    pace.progressed();
    BOOST_TEST(wait(milliseconds(0)).count() == 0);
}

BOOST_AUTO_TEST_CASE(without_readiness_every_try_is_paced) {
    for (const long expected : {1, 2, 4, 8, 16, 16}) {
        BOOST_TEST(pace.next_pause().count() == expected);
    }
}

BOOST_AUTO_TEST_SUITE_END()
