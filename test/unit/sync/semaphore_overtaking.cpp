// SPDX-License-Identifier: BSL-1.0
// A semaphore whose first in line are fibers of other carriers: how many may go past them, and that
// no permit is lost or had twice. lock_overtaking.cpp has what a semaphore of one permit has in
// common with the locks.
#include "unit/sync/overtaking.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/sync/semaphore.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <system_error>

using coir::counting_semaphore;
using coir::fiber;
using coir::test::carrier_in_line;
using coir::test::run_what_is_ready;
using namespace std::chrono_literals;

namespace {

// Takes all that there are. Returns how many.
template <std::ptrdiff_t Most>
int take_all(counting_semaphore<Most>& permits) {
    int taken = 0;
    while (permits.try_acquire()) {
        ++taken;
    }
    return taken;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(semaphore_overtaking)

FIBER_TEST_CASE(there_are_as_many_permits_as_are_on_the_way_to_others) {
    counting_semaphore<> permits(0);
    carrier_in_line first([&] { permits.acquire(); });
    carrier_in_line second([&] { permits.acquire(); });
    permits.release(2);
    BOOST_TEST(take_all(permits) == 2);
    permits.release(2);
    first.join();
    BOOST_TEST(take_all(permits) == 1);
    permits.release();
    second.join();
    BOOST_TEST(take_all(permits) == 0);
}

FIBER_TEST_CASE(those_who_come_too_late_get_the_next_ones_in_the_order_in_which_they_came) {
    counting_semaphore<> permits(0);
    bool first_has_it = false;
    bool second_has_it = false;
    carrier_in_line first([&] {
        permits.acquire();
        first_has_it = true;
    });
    carrier_in_line second([&] {
        permits.acquire();
        second_has_it = true;
    });
    bool behind_has_it = false;
    fiber behind([&] {
        permits.acquire();
        behind_has_it = true;
    });
    run_what_is_ready();
    permits.release(2);
    BOOST_TEST(take_all(permits) == 2);
    second.look();
    first.look();
    permits.release();
    BOOST_TEST(take_all(permits) == 0);  // it is the second one's, wherever that is
    second.join();
    BOOST_TEST(second_has_it);
    permits.release();
    BOOST_TEST(take_all(permits) == 0);
    first.join();
    BOOST_TEST(first_has_it);
    run_what_is_ready();
    BOOST_TEST(!behind_has_it);
    permits.release();
    behind.join();
    BOOST_TEST(take_all(permits) == 0);
}

FIBER_TEST_CASE(fibers_of_this_carrier_do_not_wait_for_those_who_were_called) {
    counting_semaphore<> permits(0);
    carrier_in_line far([&] { permits.acquire(); });
    fiber near([&] { permits.acquire(); });
    run_what_is_ready();
    permits.release(2);
    near.join();
    BOOST_TEST(take_all(permits) == 1);
    permits.release();
    far.join();
    BOOST_TEST(take_all(permits) == 0);
}

FIBER_TEST_CASE(a_permit_that_comes_back_calls_nobody_else) {
    counting_semaphore<> permits(0);
    carrier_in_line far([&] { permits.acquire(); });
    bool has_it = false;
    fiber near([&] {
        permits.acquire();
        has_it = true;
    });
    run_what_is_ready();
    permits.release();
    for (int i = 0; i < 3; ++i) {
        permits.acquire();
        run_what_is_ready();
        permits.release();
        run_what_is_ready();
    }
    BOOST_TEST(!has_it);  // it is behind one that was called
    far.join();
    permits.release();
    near.join();
    BOOST_TEST(take_all(permits) == 0);
}

FIBER_TEST_CASE(permits_beyond_the_line_are_there_and_stay_when_all_have_come) {
    counting_semaphore<> permits(0);
    carrier_in_line other([&] { permits.acquire(); });
    permits.release(3);
    permits.release();
    BOOST_TEST(take_all(permits) == 4);
    permits.release(4);
    other.join();
    BOOST_TEST(take_all(permits) == 3);
}

FIBER_TEST_CASE(the_maximum_counts_those_on_the_way) {
    counting_semaphore<2> permits(0);
    carrier_in_line other([&] { permits.acquire(); });
    permits.release();
    BOOST_CHECK_THROW(permits.release(2), std::system_error);
    permits.release();
    BOOST_CHECK_THROW(permits.release(), std::system_error);
    other.join();
    BOOST_TEST(take_all(permits) == 1);
}

FIBER_TEST_CASE(one_that_gives_up_after_it_came_too_late_takes_no_permit) {
    for (const bool by_deadline : {false, true}) {
        counting_semaphore<> permits(0);
        bool acquired = true;
        bool cancelled = false;
        carrier_in_line other([&] {
            if (by_deadline) {
                acquired = permits.try_acquire_for(1s);
                return;
            }
            coir::cancel_scope scope(coir::deadline::after(1s));
            cancelled = !scope.run([&] { permits.acquire(); });
        });
        bool behind_has_it = false;
        fiber behind([&] {
            permits.acquire();
            behind_has_it = true;
        });
        run_what_is_ready();
        permits.release();
        BOOST_TEST(take_all(permits) == 1);
        other.look();  // and then nothing but its deadline is left on that carrier
        other.join();
        BOOST_TEST((by_deadline ? !acquired : cancelled));
        permits.release();
        behind.join();
        BOOST_TEST(behind_has_it);
        BOOST_TEST(take_all(permits) == 0);
    }
}

BOOST_AUTO_TEST_SUITE_END()
