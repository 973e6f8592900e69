// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/condition_variable.hpp>

#include "support/fiber_test.hpp"
#include "unit/context/child_process.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/sync/mutex.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>

using coir::condition_variable;
using coir::fiber;
using coir::mutex;
using coir::test::elapsed;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(condition_variables)

FIBER_TEST_CASE(a_notification_ends_a_wait_with_the_lock_held) {
    mutex m;
    condition_variable changed;
    bool ready = false;
    fiber waiting([&] {
        std::unique_lock lock(m);
        changed.wait(lock, [&] { return ready; });
        BOOST_TEST(lock.owns_lock());
        BOOST_TEST(!m.try_lock());
    });
    coir::this_fiber::yield();
    BOOST_TEST(m.try_lock());  // given up while waiting
    ready = true;
    m.unlock();
    changed.notify_one();
    waiting.join();
}

FIBER_TEST_CASE(notify_one_ends_the_longest_wait_and_notify_all_every_one) {
    mutex m;
    condition_variable changed;
    std::string trace;
    std::deque<fiber> fibers;
    for (char name = 'a'; name <= 'd'; ++name) {
        fibers.emplace_back([&, name] {
            std::unique_lock lock(m);
            changed.wait(lock);
            trace += name;
        });
    }
    coir::this_fiber::yield();
    changed.notify_one();
    coir::this_fiber::sleep_for(1ms);
    BOOST_TEST(trace == "a");
    changed.notify_all();
    coir::this_fiber::sleep_for(1ms);
    BOOST_TEST(trace == "abcd");
    changed.notify_one();
    changed.notify_all();
    for (fiber& f : fibers) {
        f.join();
    }
}

FIBER_TEST_CASE(a_notification_is_not_kept_for_later) {
    mutex m;
    condition_variable changed;
    changed.notify_one();
    std::unique_lock lock(m);
    BOOST_TEST((changed.wait_for(lock, 2ms) == std::cv_status::timeout));
    BOOST_TEST((elapsed() == 2ms));
    BOOST_TEST(lock.owns_lock());
}

FIBER_TEST_CASE(a_wait_with_a_predicate_ends_at_its_deadline_with_what_the_predicate_is) {
    mutex m;
    condition_variable changed;
    bool ready = false;
    std::unique_lock lock(m);
    BOOST_TEST(!changed.wait_for(lock, 2ms, [&] { return ready; }));
    BOOST_TEST((elapsed() == 2ms));
    ready = true;
    BOOST_TEST(changed.wait_for(lock, -1ms, [&] { return ready; }));
    BOOST_TEST(changed.wait_until(lock, coir::deadline::immediately(), [&] { return ready; }));
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(a_notification_that_leaves_the_predicate_false_goes_on_waiting) {
    mutex m;
    condition_variable changed;
    int value = 0;
    fiber counting([&] {
        for (int i = 0; i < 3; ++i) {
            coir::this_fiber::sleep_for(1ms);
            const std::lock_guard lock(m);
            ++value;
            changed.notify_all();
        }
    });
    std::unique_lock lock(m);
    changed.wait(lock, [&] { return value == 3; });
    BOOST_TEST((elapsed() == 3ms));
    lock.unlock();
    counting.join();
}

FIBER_TEST_CASE(a_cancelled_wait_takes_the_lock_again_before_it_throws) {
    mutex m;
    condition_variable changed;
    bool held = false;
    fiber waiting([&] {
        std::unique_lock lock(m);
        try {
            changed.wait(lock);
        } catch (const coir::operation_cancelled&) {
            held = lock.owns_lock() && !m.try_lock();
            throw;
        }
    });
    coir::this_fiber::yield();
    m.lock();
    waiting.cancel();
    coir::this_fiber::sleep_for(1ms);
    BOOST_TEST(!held);  // it is in line for the mutex
    m.unlock();
    waiting.join();
    BOOST_TEST(held);
}

FIBER_TEST_CASE(a_cancelled_or_timed_out_wait_takes_no_notification_away) {
    mutex m;
    condition_variable changed;
    std::string trace;
    fiber first([&] {
        std::unique_lock lock(m);
        changed.wait(lock);
        trace += 'f';
    });
    fiber second([&] {
        std::unique_lock lock(m);
        trace += changed.wait_for(lock, 1ms) == std::cv_status::timeout ? 't' : 's';
    });
    fiber third([&] {
        std::unique_lock lock(m);
        changed.wait(lock);
        trace += '3';
    });
    // Ready at 1 ms, after the second one's timer and before that one runs.
    fiber notifier([&] {
        coir::this_fiber::sleep_for(1ms);
        first.cancel();
        changed.notify_one();
    });
    third.join();
    notifier.join();
    first.join();
    second.join();
    BOOST_TEST(trace.find('3') != std::string::npos);
    BOOST_TEST(trace.find('f') == std::string::npos);
}

FIBER_TEST_CASE(a_notified_wait_that_is_cancelled_before_it_runs_returns_normally) {
    mutex m;
    condition_variable changed;
    bool notified = false;
    fiber waiting([&] {
        std::unique_lock lock(m);
        changed.wait(lock);
        notified = true;
    });
    coir::this_fiber::yield();
    changed.notify_one();
    waiting.cancel();
    waiting.join();
    BOOST_TEST(notified);
}

FIBER_TEST_CASE(every_wait_is_a_cancellation_point) {
    mutex m;
    condition_variable changed;
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] {
        std::unique_lock lock(m);
        const auto always = [] {
            return true;
        };
        BOOST_CHECK_THROW(changed.wait(lock), coir::operation_cancelled);
        BOOST_CHECK_THROW(changed.wait(lock, always), coir::operation_cancelled);
        BOOST_CHECK_THROW(changed.wait_for(lock, 0ms), coir::operation_cancelled);
        BOOST_CHECK_THROW(changed.wait_for(lock, 0ms, always), coir::operation_cancelled);
        BOOST_TEST(lock.owns_lock());
    });
    BOOST_CHECK_THROW(coir::with_timeout(2ms,
                                         [&] {
                                             std::unique_lock lock(m);
                                             changed.wait(lock);
                                         }),
                      coir::timed_out);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(any_lock_will_do) {
    condition_variable changed;
    mutex bare;
    std::mutex of_std;
    std::shared_mutex shared;
    int ended = 0;
    fiber with_mutex([&] {
        const std::lock_guard guard(bare);
        changed.wait(bare);
        ++ended;
    });
    fiber with_std_mutex([&] {
        std::unique_lock lock(of_std);
        changed.wait(lock);
        ++ended;
    });
    fiber with_shared_lock([&] {
        std::shared_lock lock(shared);
        changed.wait(lock);
        ++ended;
    });
    coir::this_fiber::yield();
    changed.notify_all();
    with_mutex.join();
    with_std_mutex.join();
    with_shared_lock.join();
    BOOST_TEST(ended == 3);
}

// It blocks the thread, as it knows of no fibers; but a program may be half ported.
BOOST_AUTO_TEST_CASE(threads_may_use_std_s_own_with_a_mutex) {
    mutex m;
    std::condition_variable_any changed;
    bool ready = false;
    std::thread setting([&] {
        const std::lock_guard lock(m);
        ready = true;
        changed.notify_one();
    });
    std::unique_lock lock(m);
    changed.wait(lock, [&] { return ready; });
    BOOST_TEST(lock.owns_lock());
    setting.join();
}

FIBER_TEST_CASE(waiting_without_the_lock_is_an_error) {
    mutex m;
    condition_variable changed;
    std::unique_lock lock(m, std::defer_lock);
    BOOST_CHECK_EXCEPTION(
        changed.wait(lock), std::system_error,
        coir::test::is(std::errc::operation_not_permitted, "coir::condition_variable: 'main'"));
}

FIBER_TEST_CASE(it_may_be_destroyed_once_everybody_was_notified) {
    mutex m;
    std::optional<condition_variable> changed(std::in_place);
    int ended = 0;
    std::deque<fiber> fibers;
    for (int i = 0; i < 3; ++i) {
        fibers.emplace_back([&] {
            std::unique_lock lock(m);
            changed->wait(lock);
            ++ended;
        });
    }
    coir::this_fiber::yield();
    changed->notify_all();
    changed.reset();
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST(ended == 3);
}

#if defined(COIR_ASSERTIONS) && COIR_ASSERTIONS
BOOST_AUTO_TEST_CASE(destroying_it_under_a_wait_ends_the_program) {
    const child_result child = run_in_child([] {
        std::signal(SIGABRT, SIG_DFL);
        coir::test::run_in_fiber_world([] {
            mutex m;
            std::optional<condition_variable> changed(std::in_place);
            fiber waiting({"waiting"}, [&] {
                std::unique_lock lock(m);
                changed->wait(lock);
            });
            coir::this_fiber::yield();
            changed.reset();
        });
    });
    BOOST_TEST(child.died_by(SIGABRT));
    BOOST_TEST(child.messages.find("is destroyed while somebody waits") != std::string::npos);
    BOOST_TEST(child.messages.find("'waiting', for a condition variable") != std::string::npos);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
