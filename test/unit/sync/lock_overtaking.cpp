// SPDX-License-Identifier: BSL-1.0
// A lock whose first in line is a fiber of another carrier: that one is called, and the lock is
// free until it comes. Here is what holds of all that one may have alone.
#include "unit/sync/overtaking.hpp"

#include <coir/fiber.hpp>
#include <coir/sync.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <mutex>
#include <tuple>

using coir::test::carrier_in_line;
using coir::test::diary;
using coir::test::run_in_fiber_world;
using coir::test::run_what_is_ready;
using namespace std::chrono_literals;

namespace {

// A semaphore of one permit, by a mutex's names.
class permit {
public:
    void lock() { semaphore_.acquire(); }
    bool try_lock() { return semaphore_.try_acquire(); }
    bool try_lock_for(std::chrono::seconds timeout) { return semaphore_.try_acquire_for(timeout); }
    void unlock() { semaphore_.release(); }

private:
    coir::binary_semaphore semaphore_{1};
};

using locks = std::tuple<coir::mutex, coir::shared_mutex, permit>;
using timed_locks = std::tuple<coir::timed_mutex, coir::shared_timed_mutex, permit>;

// The caller holds the lock; the other carrier's fiber, 'a', is first in line, and one of ours,
// 'b', stands behind it.
template <class Lock>
struct two_in_line {
    two_in_line() {
        behind = coir::fiber([this] { d.enter('b'); });
        run_what_is_ready();
    }

    diary<Lock> d;
    std::unique_lock<Lock> held{d.mutex};
    carrier_in_line other{[this] {
        d.enter('a');
    }};
    coir::fiber behind;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(lock_overtaking)

BOOST_AUTO_TEST_CASE_TEMPLATE(the_lock_is_free_while_the_next_one_is_on_the_way, Lock, locks) {
    run_in_fiber_world([] {
        diary<Lock> d;
        d.mutex.lock();
        carrier_in_line other([&] { d.enter('c'); });
        d.mutex.unlock();

        BOOST_TEST(d.mutex.try_lock());
        d.mutex.unlock();
        d.enter('a');
        coir::fiber([&] { d.enter('b'); }).join();
        other.join();
        BOOST_TEST(d.entries == "abc");
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_called_one_takes_the_lock_if_it_is_free, Lock, locks) {
    run_in_fiber_world([] {
        diary<Lock> d;
        d.mutex.lock();
        carrier_in_line other([&] { d.enter('c'); });
        d.mutex.unlock();
        other.look();
        BOOST_TEST(d.entries == "c");
        other.join();
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_that_was_overtaken_is_next_for_certain, Lock, locks) {
    run_in_fiber_world([] {
        two_in_line<Lock> line;
        auto& [d, held, other, behind] = line;
        held.unlock();

        d.mutex.lock();
        other.look();
        d.mutex.unlock();
        // It has the lock, wherever it is.
        BOOST_TEST(!d.mutex.try_lock());
        run_what_is_ready();
        BOOST_TEST(d.entries.empty());
        other.go_on();
        behind.join();
        BOOST_TEST(d.entries == "ab");
        other.join();
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_stands_behind_the_called_one_stays_there, Lock, locks) {
    run_in_fiber_world([] {
        two_in_line<Lock> line;
        auto& [d, held, other, behind] = line;
        held.unlock();
        for (int i = 0; i < 3; ++i) {
            const std::lock_guard lock(d.mutex);
            run_what_is_ready();
        }
        BOOST_TEST(d.entries.empty());
        other.go_on();
        behind.join();
        BOOST_TEST(d.entries == "ab");
        other.join();
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_that_comes_too_late_for_its_deadline_leaves_the_line_in_order,
                              Lock, timed_locks) {
    for (const bool somebody_behind : {false, true}) {
        run_in_fiber_world([&] {
            diary<Lock> d;
            bool locked = true;
            std::chrono::nanoseconds gave_up{};
            d.mutex.lock();
            // It is called before its deadline. That has passed when it finds the lock taken.
            carrier_in_line other([&] {
                locked = d.mutex.try_lock_for(1s);
                gave_up = coir::test::elapsed();
            });
            coir::fiber behind([&] {
                if (somebody_behind) {
                    d.enter('b');
                }
            });
            run_what_is_ready();
            d.mutex.unlock();
            d.mutex.lock();
            other.look();
            other.join();
            BOOST_TEST(!locked);
            BOOST_TEST((gave_up == 1s));
            d.mutex.unlock();
            behind.join();
            BOOST_TEST(d.entries == (somebody_behind ? "b" : ""));
            BOOST_TEST(d.mutex.try_lock());
            d.mutex.unlock();
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
