// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/recursive_mutex.hpp>

#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <mutex>
#include <thread>

using coir::fiber;
using coir::recursive_mutex;
using coir::test::is;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(recursive_mutexes)

FIBER_TEST_CASE(the_owner_locks_it_again_and_gives_it_up_with_the_last_unlock) {
    recursive_mutex m;
    m.lock();
    m.lock();
    BOOST_TEST(m.try_lock());
    bool locked = false;
    fiber waiting([&] {
        const std::lock_guard lock(m);
        locked = true;
    });
    for (int i = 0; i < 3; ++i) {
        coir::this_fiber::sleep_for(1ms);
        BOOST_TEST(!locked);
        m.unlock();
    }
    waiting.join();
    BOOST_TEST(locked);
}

FIBER_TEST_CASE(two_fibers_of_one_thread_are_two_owners) {
    recursive_mutex m;
    const std::lock_guard lock(m);
    fiber other({"other"}, [&] {
        BOOST_TEST(!m.try_lock());
        BOOST_CHECK_EXCEPTION(
            m.unlock(), std::system_error,
            is(std::errc::operation_not_permitted, "coir::recursive_mutex: 'other'"));
    });
    other.join();
}

FIBER_TEST_CASE(who_gets_it_from_the_line_starts_to_count_anew) {
    recursive_mutex m;
    m.lock();
    m.lock();
    fiber waiting([&] {
        m.lock();
        m.lock();
        m.unlock();
        m.unlock();
        BOOST_CHECK_THROW(m.unlock(), std::system_error);
    });
    coir::this_fiber::yield();
    m.unlock();
    m.unlock();
    waiting.join();
    BOOST_TEST(m.try_lock());
    m.unlock();
}

BOOST_AUTO_TEST_CASE(a_plain_thread_is_an_owner) {
    recursive_mutex m;
    const std::scoped_lock twice(m);
    const std::lock_guard again(m);
    bool locked = true;
    std::thread([&] { locked = m.try_lock(); }).join();
    BOOST_TEST(!locked);
}

BOOST_AUTO_TEST_SUITE_END()
