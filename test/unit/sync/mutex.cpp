// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/mutex.hpp>

#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "support/watched_thread.hpp"
#include "unit/context/child_process.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

using coir::fiber;
using coir::mutex;
using coir::test::elapsed;
using coir::test::is;
using coir::test::watched_thread;
using namespace std::chrono_literals;

namespace {

// Locked before main(), by a constructor that may run before any other of this program.
struct locked_early {
    locked_early();
};
const locked_early early;
constinit mutex global;
locked_early::locked_early() { global.lock(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(mutexes)

FIBER_TEST_CASE(a_fiber_waits_for_the_owner_and_others_run_meanwhile) {
    mutex m;
    std::string trace;
    m.lock();
    fiber waiting([&] {
        const std::lock_guard lock(m);
        trace += 'w';
    });
    fiber other([&] { trace += 'o'; });
    coir::this_fiber::sleep_for(1ms);
    BOOST_TEST(trace == "o");
    m.unlock();
    waiting.join();
    BOOST_TEST(trace == "ow");
    other.join();
}

FIBER_TEST_CASE(an_owner_may_wait_for_something_else) {
    mutex m;
    int inside = 0;
    std::deque<fiber> fibers;
    for (int i = 0; i < 3; ++i) {
        fibers.emplace_back([&] {
            const std::lock_guard lock(m);
            BOOST_TEST(++inside == 1);
            coir::this_fiber::sleep_for(1ms);
            --inside;
        });
    }
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST((elapsed() == 3ms));
}

FIBER_TEST_CASE(those_who_wait_get_it_in_the_order_in_which_they_came) {
    mutex m;
    std::string trace;
    std::deque<fiber> fibers;
    m.lock();
    for (char name = 'a'; name <= 'e'; ++name) {
        fibers.emplace_back([&, name] {
            const std::lock_guard lock(m);
            trace += name;
            coir::this_fiber::yield();
        });
    }
    coir::this_fiber::yield();
    m.unlock();
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST(trace == "abcde");
}

FIBER_TEST_CASE(who_unlocks_and_locks_again_stands_behind_those_who_wait) {
    mutex m;
    std::string trace;
    m.lock();
    fiber waiting([&] {
        const std::lock_guard lock(m);
        trace += 'w';
    });
    coir::this_fiber::yield();
    m.unlock();
    BOOST_TEST(!m.try_lock());
    m.lock();
    trace += 'm';
    m.unlock();
    BOOST_TEST(trace == "wm");
    waiting.join();
}

FIBER_TEST_CASE(try_lock_takes_a_free_mutex_and_no_other) {
    mutex m;
    BOOST_TEST(m.try_lock());
    BOOST_TEST(!m.try_lock());
    fiber other([&] { BOOST_TEST(!m.try_lock()); });
    other.join();
    m.unlock();
    BOOST_TEST(m.try_lock());
    m.unlock();
}

FIBER_TEST_CASE(a_loop_around_try_lock_lets_the_owner_run) {
    mutex m;
    fiber owner([&] {
        const std::lock_guard lock(m);
        coir::this_fiber::yield();
    });
    coir::this_fiber::yield();
    while (!m.try_lock()) {
    }
    m.unlock();
    owner.join();
}

FIBER_TEST_CASE(the_locks_of_std_work_on_it) {
    mutex a;
    mutex b;
    std::deque<fiber> fibers;
    int inside = 0;
    for (int i = 0; i < 4; ++i) {
        fibers.emplace_back([&, i] {
            const auto both = i % 2 == 0 ? std::scoped_lock(a, b) : std::scoped_lock(b, a);
            BOOST_TEST(++inside == 1);
            coir::this_fiber::yield();
            --inside;
        });
    }
    for (fiber& f : fibers) {
        f.join();
    }
    const std::unique_lock lock(a, std::try_to_lock);
    BOOST_TEST(lock.owns_lock());
}

FIBER_TEST_CASE(locking_is_no_cancellation_point) {
    mutex m;
    coir::cancel_scope scope;
    scope.cancel();
    bool reached = false;
    scope.run([&] {
        const std::lock_guard lock(m);
        reached = true;
    });
    BOOST_TEST(reached);

    m.lock();
    bool locked = false;
    fiber waiting([&] {
        const std::lock_guard lock(m);
        locked = true;
    });
    coir::this_fiber::yield();
    waiting.cancel();
    coir::this_fiber::yield();
    BOOST_TEST(!locked);
    m.unlock();
    waiting.join();
    BOOST_TEST(locked);
}

FIBER_TEST_CASE(locking_what_one_holds_is_an_error_that_names_the_caller) {
    mutex m;
    const std::unique_lock lock(m);
    BOOST_CHECK_EXCEPTION(m.lock(), std::system_error,
                          is(std::errc::resource_deadlock_would_occur, "coir::mutex: 'main'"));
}

FIBER_TEST_CASE(unlocking_what_one_does_not_hold_is_an_error) {
    mutex m;
    const auto refused = is(std::errc::operation_not_permitted, "coir::mutex: ");
    BOOST_CHECK_EXCEPTION(m.unlock(), std::system_error, refused);
    m.lock();
    fiber thief({"thief"}, [&] {
        BOOST_CHECK_EXCEPTION(m.unlock(), std::system_error,
                              is(std::errc::operation_not_permitted, "'thief'"));
    });
    thief.join();
    std::thread([&] { BOOST_CHECK_EXCEPTION(m.unlock(), std::system_error, refused); }).join();
    m.unlock();
    BOOST_CHECK_EXCEPTION(m.unlock(), std::system_error, refused);
}

FIBER_TEST_CASE(who_was_given_the_mutex_and_has_not_run_yet_owns_it) {
    mutex m;
    m.lock();
    fiber waiting([&] { const std::lock_guard lock(m); });
    coir::this_fiber::yield();
    m.unlock();
    BOOST_CHECK_THROW(m.unlock(), std::system_error);
    BOOST_TEST(!m.try_lock());
    waiting.join();
    BOOST_TEST(m.try_lock());
    m.unlock();
}

// Goal: what std promises and a lock beside the state would break. Method: the new owner destroys
// the mutex while the old one is on its way out of unlock(), which ASan and TSan watch.
FIBER_TEST_CASE(the_next_owner_may_destroy_it_at_once) {
    for (int i = 0; i < 200; ++i) {
        std::optional<mutex> m(std::in_place);
        std::unique_lock first(*m);
        std::thread other([&] {
            m->lock();
            m->unlock();
            m.reset();
        });
        coir::this_fiber::yield();
        first.unlock();
        first.release();
        other.join();
    }
}

BOOST_AUTO_TEST_CASE(a_global_mutex_works_before_main) {
    BOOST_TEST(!global.try_lock());
    global.unlock();
    BOOST_TEST(global.try_lock());
    global.unlock();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(mutex_deadlocks)

BOOST_AUTO_TEST_CASE(a_report_says_who_holds_the_mutex) {
    const coir::test::captured_log log;
    coir::test::fiber_world world;
    std::uint64_t owner = 0;
    auto body = [&] {
        mutex m;
        coir::wait_queue never_notified;
        fiber holds([&] {
            owner = coir::this_fiber::get_id().value();
            const std::lock_guard lock(m);
            never_notified.park();
        });
        fiber waits([&] { const std::lock_guard lock(m); });
        fiber waits_too([&] { const std::lock_guard lock(m); });
        coir::this_fiber::sleep_for(1ms);
        waits.join();
    };
    const std::string report = world.run_into_deadlock(body);
    BOOST_TEST(report.find("waits for a mutex held by fiber " + std::to_string(owner)) !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(fibers_that_wait_for_each_other_s_mutex_end_the_program_with_a_report) {
    const child_result child = run_in_child([] {
        std::signal(SIGABRT, SIG_DFL);
        coir::test::fiber_world world;
        auto body = [] {
            mutex a;
            mutex b;
            const auto lock_both = [](mutex& first, mutex& second) {
                const std::lock_guard lock(first);
                coir::this_fiber::yield();
                const std::lock_guard lock_second(second);
            };
            fiber hen({"hen"}, [&] { lock_both(a, b); });
            fiber egg({"egg"}, [&] { lock_both(b, a); });
            hen.join();
        };
        world.run(body);
    });
    BOOST_TEST(child.died_by(SIGABRT));
    BOOST_TEST(child.messages.find("'hen'") != std::string::npos);
    BOOST_TEST(child.messages.find("waits for a mutex held by fiber") != std::string::npos);
}

FIBER_TEST_CASE(a_wait_for_a_thread_that_holds_the_mutex_is_no_deadlock) {
    mutex m;
    m.lock();
    const watched_thread carrier;
    std::thread owner([&] {
        m.lock();
        // The carrier blocks when nothing is ready: the fibers wait for this thread alone.
        carrier.await_asleep();
        m.unlock();
    });
    m.unlock();
    while (m.try_lock()) {  // until the thread has it
        m.unlock();
        coir::this_fiber::yield();
    }
    fiber waiting([&] { const std::lock_guard lock(m); });
    fiber behind([&] { const std::lock_guard lock(m); });
    waiting.join();
    behind.join();
    owner.join();
}

FIBER_TEST_CASE(a_thread_in_line_makes_the_waits_behind_it_no_deadlock) {
    mutex m;
    m.lock();
    const watched_thread carrier;
    std::atomic<const watched_thread*> in_line{nullptr};
    std::thread thread([&] {
        const watched_thread self;
        in_line = &self;
        const std::lock_guard lock(m);
        carrier.await_asleep();
    });
    while (in_line == nullptr) {
    }
    in_line.load()->await_asleep();
    fiber behind([&] { const std::lock_guard lock(m); });
    coir::this_fiber::yield();
    m.unlock();
    behind.join();
    thread.join();
}

BOOST_AUTO_TEST_SUITE_END()
