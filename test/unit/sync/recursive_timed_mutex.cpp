// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/recursive_timed_mutex.hpp>

#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <mutex>

using coir::fiber;
using coir::recursive_timed_mutex;
using coir::test::elapsed;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(recursive_timed_mutexes)

FIBER_TEST_CASE(a_timed_lock_counts_as_every_other) {
    recursive_timed_mutex m;
    BOOST_TEST(m.try_lock_for(1ms));
    BOOST_TEST(m.try_lock_for(-1ms));
    BOOST_TEST(m.try_lock_until(coir::deadline::immediately()));
    bool locked = true;
    fiber other([&] { locked = m.try_lock_for(1ms); });
    other.join();
    BOOST_TEST(!locked);
    BOOST_TEST((elapsed() == 1ms));
    for (int i = 0; i < 3; ++i) {
        m.unlock();
    }
    BOOST_CHECK_EXCEPTION(
        m.unlock(), std::system_error,
        coir::test::is(std::errc::operation_not_permitted, "coir::recursive_timed_mutex: 'main'"));
}

FIBER_TEST_CASE(a_wait_ends_when_the_last_lock_is_given_up) {
    recursive_timed_mutex m;
    m.lock();
    m.lock();
    fiber waiting([&] {
        const std::unique_lock lock(m, 1h);
        BOOST_TEST(lock.owns_lock());
        BOOST_TEST((elapsed() == 2ms));
    });
    coir::this_fiber::sleep_for(1ms);
    m.unlock();
    coir::this_fiber::sleep_for(1ms);
    m.unlock();
    waiting.join();
}

BOOST_AUTO_TEST_SUITE_END()
