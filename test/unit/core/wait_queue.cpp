// SPDX-License-Identifier: BSL-1.0
#include <coir/wait_queue.hpp>

#include "context/overflow.hpp"
#include "support/fiber_test.hpp"
#include "unit/context/child_process.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <mutex>
#include <string>

using coir::deadline;
using coir::fiber;
using coir::wait_queue;
using coir::wait_status;
using coir::test::elapsed;
using std::chrono::milliseconds;

namespace boost::test_tools::tt_detail {
template <>
struct print_log_value<wait_status> {
    void operator()(std::ostream& out, wait_status s) const {
        out << (s == wait_status::notified    ? "notified"
                : s == wait_status::timed_out ? "timed_out"
                                              : "cancelled");
    }
};
}  // namespace boost::test_tools::tt_detail

BOOST_AUTO_TEST_SUITE(wait_queue_of_one_thread)

FIBER_TEST_CASE(waiters_are_notified_in_the_order_in_which_they_parked) {
    wait_queue queue;
    std::string trace;
    const auto wait = [&](char name) {
        BOOST_TEST(queue.park() == wait_status::notified);
        trace += name;
    };
    fiber a(wait, 'a');
    fiber b(wait, 'b');
    fiber c(wait, 'c');
    coir::this_fiber::yield();
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(queue.unpark_one());
        coir::this_fiber::yield();
    }
    BOOST_TEST(trace == "abc");
    a.join();
    b.join();
    c.join();
}

FIBER_TEST_CASE(one_that_parks_in_front_is_notified_before_all_others) {
    wait_queue queue;
    std::mutex nobody_else;
    std::string trace;
    fiber a([&] {
        std::unique_lock lock(nobody_else);
        BOOST_TEST(queue.park(lock) == wait_status::notified);
        trace += 'a';
        BOOST_TEST(queue.park_in_front(lock) == wait_status::notified);
        trace += 'A';
    });
    fiber b([&] {
        std::unique_lock lock(nobody_else);
        BOOST_TEST(queue.park(lock) == wait_status::notified);
        trace += 'b';
    });
    fiber c([&] {
        std::unique_lock lock(nobody_else);
        const deadline soon = deadline::after(milliseconds(1));
        BOOST_TEST(queue.park_in_front(lock, soon) == wait_status::timed_out);
        BOOST_TEST(lock.owns_lock());
        trace += 'c';
    });
    c.join();
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(queue.unpark_one());
        coir::this_fiber::yield();
    }
    BOOST_TEST(trace == "caAb");
    a.join();
    b.join();
}

FIBER_TEST_CASE(unpark_one_tells_whether_somebody_waited) {
    wait_queue queue;
    BOOST_TEST(!queue.unpark_one());
    fiber a([&] { queue.park(); });
    BOOST_TEST(!queue.unpark_one());
    coir::this_fiber::yield();
    BOOST_TEST(queue.unpark_one());
    BOOST_TEST(!queue.unpark_one());
    a.join();
}

FIBER_TEST_CASE(unpark_all_tells_how_many_waited) {
    wait_queue queue;
    BOOST_TEST(queue.unpark_all() == 0U);
    fiber a([&] { queue.park(); });
    fiber b([&] { queue.park(); });
    coir::this_fiber::yield();
    BOOST_TEST(queue.unpark_all() == 2U);
    a.join();
    b.join();
}

FIBER_TEST_CASE(who_parks_again_after_unpark_all_is_not_notified_by_it) {
    wait_queue queue;
    int notified = 0;
    fiber a([&] {
        queue.park();
        ++notified;
        BOOST_TEST(queue.park(deadline::after(milliseconds(1))) == wait_status::timed_out);
    });
    coir::this_fiber::yield();
    BOOST_TEST(queue.unpark_all() == 1U);
    a.join();
    BOOST_TEST(notified == 1);
}

FIBER_TEST_CASE(a_queue_is_empty_before_and_after_its_waiters) {
    wait_queue queue;
    BOOST_TEST(queue.empty());
    fiber a([&] { queue.park(); });
    fiber b([&] { queue.park(deadline::after(milliseconds(1))); });
    coir::this_fiber::yield();
    BOOST_TEST(!queue.empty());
    b.join();
    BOOST_TEST(!queue.empty());
    queue.unpark_one();
    BOOST_TEST(queue.empty());
    a.join();
}

FIBER_TEST_CASE(a_wait_ends_at_its_deadline_and_not_before) {
    wait_queue queue;
    BOOST_TEST(queue.park(deadline::after(milliseconds(3))) == wait_status::timed_out);
    BOOST_TEST((elapsed() == milliseconds(3)));
    BOOST_TEST(queue.empty());
}

FIBER_TEST_CASE(a_deadline_that_has_passed_does_not_wait) {
    wait_queue queue;
    BOOST_TEST(queue.park(deadline::immediately()) == wait_status::timed_out);
    BOOST_TEST((queue.park(deadline::after(-milliseconds(1))) == wait_status::timed_out));
    BOOST_TEST((elapsed() == milliseconds(0)));
}

FIBER_TEST_CASE(a_waiter_that_timed_out_takes_no_notification_away) {
    wait_queue queue;
    wait_status first{};
    wait_status second{};
    fiber a([&] { first = queue.park(deadline::after(milliseconds(1))); });
    fiber b([&] { second = queue.park(); });
    // Past the deadline of a, which is ready and has not run when b is notified.
    fiber notifier([&] {
        coir::this_fiber::sleep_for(milliseconds(1));
        queue.unpark_one();
    });
    a.join();
    b.join();
    notifier.join();
    BOOST_TEST(first == wait_status::timed_out);
    BOOST_TEST(second == wait_status::notified);
}

FIBER_TEST_CASE(a_notification_before_the_deadline_wins_although_the_fiber_runs_after_it) {
    wait_queue queue;
    wait_status first{};
    fiber a([&] { first = queue.park(deadline::after(milliseconds(1))); });
    coir::this_fiber::yield();
    queue.unpark_one();
    a.cancel();
    coir::this_fiber::sleep_for(milliseconds(5));
    BOOST_TEST(first == wait_status::notified);
    a.join();
}

FIBER_TEST_CASE(a_cancelled_waiter_takes_no_notification_away) {
    wait_queue queue;
    wait_status first{};
    wait_status second{};
    fiber a([&] { first = queue.park(); });
    fiber b([&] { second = queue.park(); });
    coir::this_fiber::yield();
    a.cancel();
    BOOST_TEST(queue.unpark_one());
    BOOST_TEST(!queue.unpark_one());
    a.join();
    b.join();
    BOOST_TEST(first == wait_status::cancelled);
    BOOST_TEST(second == wait_status::notified);
}

FIBER_TEST_CASE(an_uncancellable_wait_outlasts_a_cancellation) {
    wait_queue queue;
    wait_status status{};
    fiber a([&] { status = queue.park(deadline::never(), {}, coir::cancellable::no); });
    coir::this_fiber::yield();
    a.cancel();
    coir::this_fiber::yield();
    BOOST_TEST(!queue.empty());
    queue.unpark_one();
    a.join();
    BOOST_TEST(status == wait_status::notified);
}

FIBER_TEST_CASE(a_wait_in_a_cancelled_scope_ends_at_once) {
    wait_queue queue;
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] {
        BOOST_TEST(queue.park() == wait_status::cancelled);
        BOOST_TEST(queue.park(deadline::after(milliseconds(1))) == wait_status::cancelled);
    });
    BOOST_TEST((elapsed() == milliseconds(0)));
}

FIBER_TEST_CASE(the_deadline_of_a_scope_ends_a_wait_as_cancelled) {
    wait_queue queue;
    coir::cancel_scope scope(deadline::after(milliseconds(2)));
    scope.run([&] {
        BOOST_TEST(queue.park(deadline::after(milliseconds(9))) == wait_status::cancelled);
    });
    BOOST_TEST((elapsed() == milliseconds(2)));
}

FIBER_TEST_CASE(the_lock_is_given_up_while_waiting_and_held_afterwards) {
    wait_queue queue;
    std::mutex mutex;
    bool held_meanwhile = true;
    fiber a([&] {
        std::unique_lock lock(mutex);
        BOOST_TEST(queue.park(lock) == wait_status::notified);
        BOOST_TEST(lock.owns_lock());
    });
    coir::this_fiber::yield();
    if (mutex.try_lock()) {
        held_meanwhile = false;
        queue.unpark_one();
        mutex.unlock();
    }
    a.join();
    BOOST_TEST(!held_meanwhile);
    BOOST_TEST(mutex.try_lock());
    mutex.unlock();
}

BOOST_AUTO_TEST_CASE(a_plain_thread_waits_until_its_deadline) {
    wait_queue queue;
    const auto until = std::chrono::steady_clock::now() + milliseconds(3);
    BOOST_TEST(queue.park(until) == wait_status::timed_out);
    BOOST_TEST((std::chrono::steady_clock::now() >= until));
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.park(deadline::immediately()) == wait_status::timed_out);
}

BOOST_AUTO_TEST_CASE(a_plain_thread_that_could_never_be_notified_ends_the_program) {
    const child_result child = run_in_child([] {
        std::signal(SIGABRT, SIG_DFL);
        wait_queue queue;
        queue.park();
    });
    BOOST_TEST(child.died_by(SIGABRT));
    BOOST_TEST(child.messages.find("without a lock") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
