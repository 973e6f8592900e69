// SPDX-License-Identifier: BSL-1.0

#include <coir/detail/spin_lock.hpp>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <mutex>
#include <thread>

BOOST_AUTO_TEST_SUITE(spin_lock)

using coir::detail::spin_lock;

BOOST_AUTO_TEST_CASE(try_lock_fails_only_while_it_is_held) {
    spin_lock lock;
    BOOST_TEST(lock.try_lock());
    BOOST_TEST(!lock.try_lock());
    lock.unlock();
    BOOST_TEST(lock.try_lock());
    lock.unlock();
}

// Goal: mutual exclusion, and that an owner sees what the one before wrote. Method: two threads
// increment a plain number; a lost update shows in the sum, a missing order under the thread
// sanitizer.
BOOST_AUTO_TEST_CASE(two_threads_lose_no_update) {
    constexpr int rounds = 100'000;
    spin_lock lock;
    int count = 0;
    const auto increment = [&] {
        for (int i = 0; i != rounds; ++i) {
            const std::lock_guard guard(lock);
            ++count;
        }
    };
    std::thread other(increment);
    increment();
    other.join();
    BOOST_TEST(count == 2 * rounds);
}

// Goal: a waiter outlasts an owner that was preempted. Method: the owner holds the lock until the
// waiter has come to it, and for many yields more, so the waiter has to give way.
BOOST_AUTO_TEST_CASE(a_waiter_gives_way_to_an_owner_that_takes_long) {
    spin_lock lock;
    std::atomic<bool> arrived{false};
    bool entered = false;
    lock.lock();
    std::thread waiter([&] {
        arrived = true;
        const std::lock_guard guard(lock);
        entered = true;
    });
    while (!arrived) {
        std::this_thread::yield();
    }
    for (int i = 0; i != 1000; ++i) {
        std::this_thread::yield();
    }
    BOOST_TEST(!entered);
    lock.unlock();
    waiter.join();
    BOOST_TEST(entered);
}

BOOST_AUTO_TEST_SUITE_END()
