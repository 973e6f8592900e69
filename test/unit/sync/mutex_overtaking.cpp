// SPDX-License-Identifier: BSL-1.0
// A mutex whose first in line is a fiber of another carrier: that one is called, and the mutex is
// free until it comes. The other carrier is kept from going on, so that it comes when the test
// wants it to.
#include "support/fiber_test.hpp"

#include <coir/fiber.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

void await(const std::atomic<bool>& flag) {
    while (!flag) {
        std::this_thread::yield();
    }
}

// Virtual time moves only when nobody can run, not even one that the inbox has woken.
void run_what_is_ready() { coir::this_fiber::sleep_for(1ns); }

// Another carrier, on which one fiber calls `wait_for_lock`, and is in line when this is made.
// From then on the carrier stands still.
class carrier_in_line {
public:
    template <class Function>
    explicit carrier_in_line(Function wait_for_lock)
        : thread_([this, wait_for_lock] {
              coir::test::run_in_fiber_world([&] {
                  coir::fiber waiting(wait_for_lock);
                  run_what_is_ready();
                  in_line_ = true;
                  await(may_look_);
                  // The call is in the inbox. The fiber answers it before this one goes on.
                  run_what_is_ready();
                  run_what_is_ready();
                  has_looked_ = true;
                  await(may_go_on_);
                  waiting.join();
              });
          }) {
        await(in_line_);
    }

    // Lets the fiber find out whether the lock is free, and no more.
    void look() {
        may_look_ = true;
        await(has_looked_);
    }

    void go_on() {
        may_look_ = true;
        may_go_on_ = true;
    }

    void join() {
        go_on();
        thread_.join();
    }

private:
    std::atomic<bool> in_line_{false};
    std::atomic<bool> may_look_{false};
    std::atomic<bool> has_looked_{false};
    std::atomic<bool> may_go_on_{false};
    std::thread thread_;
};

// What is locked, and who did it in which order.
template <class Mutex>
struct diary {
    void enter(char who) {
        const std::lock_guard lock(mutex);
        entries += who;
    }

    Mutex mutex;
    std::string entries;
};

// The caller holds the mutex; the other carrier's fiber, 'a', is first in line, and one of ours,
// 'b', stands behind it.
struct two_in_line {
    two_in_line() {
        behind = coir::fiber([this] { d.enter('b'); });
        run_what_is_ready();
    }

    diary<coir::mutex> d;
    std::unique_lock<coir::mutex> held{d.mutex};
    carrier_in_line other{[this] {
        d.enter('a');
    }};
    coir::fiber behind;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(mutex_overtaking)

FIBER_TEST_CASE(the_mutex_is_free_while_the_next_one_is_on_the_way) {
    diary<coir::mutex> d;
    d.mutex.lock();
    carrier_in_line other([&] { d.enter('c'); });
    d.mutex.unlock();

    BOOST_TEST(d.mutex.try_lock());
    d.mutex.unlock();
    d.enter('a');
    coir::fiber([&] { d.enter('b'); }).join();
    other.join();
    BOOST_TEST(d.entries == "abc");
}

FIBER_TEST_CASE(the_called_one_takes_the_mutex_if_it_is_free) {
    diary<coir::mutex> d;
    d.mutex.lock();
    carrier_in_line other([&] { d.enter('c'); });
    d.mutex.unlock();
    other.look();
    BOOST_TEST(d.entries == "c");
    other.join();
}

FIBER_TEST_CASE(one_that_was_overtaken_is_next_for_certain) {
    two_in_line line;
    auto& [d, held, other, behind] = line;
    held.unlock();

    d.mutex.lock();
    other.look();
    d.mutex.unlock();
    // It has the mutex, wherever it is.
    BOOST_TEST(!d.mutex.try_lock());
    run_what_is_ready();
    BOOST_TEST(d.entries.empty());
    other.go_on();
    behind.join();
    BOOST_TEST(d.entries == "ab");
    other.join();
}

FIBER_TEST_CASE(who_stands_behind_the_called_one_stays_there) {
    two_in_line line;
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
}

FIBER_TEST_CASE(one_that_comes_too_late_for_its_deadline_leaves_the_line_in_order) {
    for (const bool somebody_behind : {false, true}) {
        diary<coir::timed_mutex> d;
        bool locked = true;
        std::chrono::nanoseconds gave_up{};
        d.mutex.lock();
        // It is called before its deadline. That has passed when it finds the mutex taken.
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
    }
}

BOOST_AUTO_TEST_SUITE_END()
