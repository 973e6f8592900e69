// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/timed_mutex.hpp>

#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>

using coir::deadline;
using coir::fiber;
using coir::timed_mutex;
using coir::test::elapsed;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(timed_mutexes)

FIBER_TEST_CASE(a_wait_ends_at_its_deadline_without_the_mutex) {
    timed_mutex m;
    m.lock();
    fiber waiting([&] {
        BOOST_TEST(!m.try_lock_for(2ms));
        BOOST_TEST((elapsed() == 2ms));
        BOOST_CHECK_THROW(m.unlock(), std::system_error);
    });
    waiting.join();
    m.unlock();
    BOOST_TEST(m.try_lock());
    m.unlock();
}

FIBER_TEST_CASE(a_free_mutex_is_locked_though_the_deadline_has_passed) {
    timed_mutex m;
    BOOST_TEST(m.try_lock_for(-1s));
    m.unlock();
    BOOST_TEST(m.try_lock_until(deadline::immediately()));
    fiber other([&] { BOOST_TEST(!m.try_lock_for(0s)); });
    other.join();
    BOOST_TEST((elapsed() == 0s));
    m.unlock();
}

FIBER_TEST_CASE(a_wait_ends_when_the_mutex_is_handed_over) {
    timed_mutex m;
    m.lock();
    fiber waiting([&] {
        BOOST_TEST(m.try_lock_for(1h));
        BOOST_TEST((elapsed() == 1ms));
        m.unlock();
    });
    coir::this_fiber::sleep_for(1ms);
    m.unlock();
    waiting.join();
}

FIBER_TEST_CASE(one_that_timed_out_is_passed_over) {
    timed_mutex m;
    m.lock();
    std::string trace;
    fiber first([&] { trace += m.try_lock_for(1ms) ? "!" : "t"; });
    fiber second([&] {
        m.lock();
        trace += 's';
        m.unlock();
    });
    // Ready at 1 ms too, and behind the timer of the first: that one has timed out and not run.
    fiber owner_s_friend([&] { coir::this_fiber::sleep_for(1ms); });
    coir::this_fiber::sleep_for(1ms);
    m.unlock();
    first.join();
    second.join();
    owner_s_friend.join();
    BOOST_TEST(trace == "ts");
}

FIBER_TEST_CASE(one_that_was_handed_the_mutex_before_its_deadline_has_it) {
    timed_mutex m;
    m.lock();
    bool locked = false;
    fiber waiting([&] { locked = m.try_lock_for(1ms); });
    coir::this_fiber::yield();
    m.unlock();
    BOOST_TEST(!m.try_lock());
    waiting.join();
    BOOST_TEST(locked);
}

FIBER_TEST_CASE(the_deadline_of_a_scope_does_not_end_the_wait) {
    timed_mutex m;
    m.lock();
    bool locked = true;
    fiber waiting([&] {
        coir::cancel_scope scope(deadline::after(1ms));
        scope.run([&] {
            locked = m.try_lock_for(5ms);
            BOOST_TEST((elapsed() == 5ms));
        });
    });
    waiting.join();
    BOOST_TEST(!locked);
    m.unlock();
}

FIBER_TEST_CASE(the_locks_of_std_take_instants_of_any_clock) {
    timed_mutex m;
    {
        const std::unique_lock lock(m, 1ms);
        BOOST_TEST(lock.owns_lock());
        fiber other([&] {
            const std::unique_lock until(m, std::chrono::system_clock::now() + 5ms);
            BOOST_TEST(!until.owns_lock());
        });
        other.join();
    }
    std::unique_lock lock(m, std::defer_lock);
    BOOST_TEST(lock.try_lock_until(std::chrono::steady_clock::now()));
}

FIBER_TEST_CASE(misuse_is_an_error_that_names_the_type) {
    timed_mutex m;
    BOOST_CHECK_EXCEPTION(
        m.unlock(), std::system_error,
        coir::test::is(std::errc::operation_not_permitted, "coir::timed_mutex: 'main'"));
    m.lock();
    BOOST_CHECK_EXCEPTION(
        m.try_lock_for(1ms), std::system_error,
        coir::test::is(std::errc::resource_deadlock_would_occur, "coir::timed_mutex: 'main'"));
    m.unlock();
}

BOOST_AUTO_TEST_CASE(a_plain_thread_waits_no_less_than_its_time) {
    timed_mutex m;
    std::thread owner([&] { m.lock(); });
    owner.join();  // and never unlocks
    const auto before = std::chrono::steady_clock::now();
    BOOST_TEST(!m.try_lock_for(2ms));
    BOOST_TEST((std::chrono::steady_clock::now() - before >= 2ms));
}

BOOST_AUTO_TEST_SUITE_END()
