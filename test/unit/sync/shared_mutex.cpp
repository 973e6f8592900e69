// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/shared_mutex.hpp>

#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>

using coir::fiber;
using coir::shared_mutex;
using coir::shared_timed_mutex;
using coir::test::elapsed;
using coir::test::is;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(shared_mutexes)

FIBER_TEST_CASE(many_share_it_and_one_waits_for_all_of_them) {
    shared_mutex m;
    int sharing = 0;
    std::deque<fiber> fibers;
    for (int i = 1; i <= 3; ++i) {
        fibers.emplace_back([&, i] {
            const std::shared_lock lock(m);
            ++sharing;
            coir::this_fiber::sleep_for(i * 1ms);
            --sharing;
        });
    }
    coir::this_fiber::yield();
    BOOST_TEST(sharing == 3);
    BOOST_TEST(!m.try_lock());
    BOOST_TEST(m.try_lock_shared());
    m.unlock_shared();
    const std::unique_lock lock(m);
    BOOST_TEST(sharing == 0);
    BOOST_TEST((elapsed() == 3ms));
    BOOST_TEST(!m.try_lock());
    BOOST_TEST(!m.try_lock_shared());
    for (fiber& f : fibers) {
        f.join();
    }
}

// r and R share, w is alone; each holds the mutex for a moment.
FIBER_TEST_CASE(both_kinds_enter_in_the_order_in_which_they_came) {
    shared_mutex m;
    std::string trace;
    const auto share = [&](char name) {
        const std::shared_lock lock(m);
        trace += name;
        coir::this_fiber::sleep_for(1ms);
        trace += name;
    };
    const auto alone = [&](char name) {
        const std::unique_lock lock(m);
        trace += name;
        coir::this_fiber::sleep_for(1ms);
        trace += name;
    };
    m.lock();
    fiber a(share, 'a');
    fiber b(share, 'b');
    fiber w(alone, 'W');
    fiber v(alone, 'V');
    fiber c(share, 'c');
    coir::this_fiber::yield();
    m.unlock();
    for (fiber* f : {&a, &b, &w, &v, &c}) {
        f->join();
    }
    BOOST_TEST(trace == "ababWWVVcc");
}

FIBER_TEST_CASE(who_comes_to_share_does_not_go_past_one_in_line) {
    shared_mutex m;
    m.lock_shared();
    bool alone = false;
    fiber writer([&] {
        const std::unique_lock lock(m);
        alone = true;
    });
    coir::this_fiber::yield();
    BOOST_TEST(!m.try_lock_shared());
    fiber reader([&] {
        const std::shared_lock lock(m);
        BOOST_TEST(alone);
    });
    coir::this_fiber::yield();
    m.unlock_shared();
    reader.join();
    writer.join();
}

FIBER_TEST_CASE(locking_is_no_cancellation_point) {
    shared_mutex m;
    coir::cancel_scope scope;
    scope.cancel();
    int reached = 0;
    scope.run([&] {
        const std::unique_lock alone(m);
        ++reached;
    });
    scope.cancel();
    m.lock();
    fiber waiting([&] {
        const std::shared_lock lock(m);
        ++reached;
    });
    coir::this_fiber::yield();
    waiting.cancel();
    coir::this_fiber::yield();
    BOOST_TEST(reached == 1);
    m.unlock();
    waiting.join();
    BOOST_TEST(reached == 2);
}

FIBER_TEST_CASE(misuse_is_an_error) {
    shared_mutex m;
    const auto not_held = is(std::errc::operation_not_permitted, "coir::shared_mutex: 'main'");
    const auto held = is(std::errc::resource_deadlock_would_occur, "coir::shared_mutex: 'main'");
    BOOST_CHECK_EXCEPTION(m.unlock(), std::system_error, not_held);
    BOOST_CHECK_EXCEPTION(m.unlock_shared(), std::system_error, not_held);
    m.lock();
    BOOST_CHECK_EXCEPTION(m.lock(), std::system_error, held);
    BOOST_CHECK_EXCEPTION(m.lock_shared(), std::system_error, held);
    BOOST_CHECK_EXCEPTION(m.unlock_shared(), std::system_error, not_held);
    m.unlock();
    m.lock_shared();
    BOOST_CHECK_EXCEPTION(m.unlock(), std::system_error, not_held);
    m.unlock_shared();
    BOOST_TEST(m.try_lock());
    m.unlock();
}

BOOST_AUTO_TEST_CASE(a_deadlock_report_says_who_holds_it) {
    const coir::test::captured_log log;
    coir::test::fiber_world world;
    auto body = [&] {
        shared_mutex m;
        coir::wait_queue never_notified;
        fiber holds([&] {
            const std::unique_lock lock(m);
            never_notified.park();
        });
        fiber waits([&] { const std::shared_lock lock(m); });
        waits.join();
    };
    BOOST_TEST(world.run_into_deadlock(body).find("a shared mutex held by fiber") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(shared_timed_mutexes)

FIBER_TEST_CASE(waits_of_both_kinds_end_at_their_deadlines) {
    shared_timed_mutex m;
    m.lock();
    fiber waiting([&] {
        BOOST_TEST(!m.try_lock_for(1ms));
        BOOST_TEST(!m.try_lock_shared_for(1ms));
        BOOST_TEST(!m.try_lock_until(coir::deadline::immediately()));
        BOOST_TEST((elapsed() == 2ms));
    });
    waiting.join();
    m.unlock();
    BOOST_TEST(m.try_lock_for(-1ms));
    m.unlock();
    BOOST_TEST(m.try_lock_shared_for(-1ms));
    m.unlock_shared();
}

FIBER_TEST_CASE(those_behind_one_that_timed_out_enter) {
    shared_timed_mutex m;
    m.lock_shared();
    fiber writer([&] { BOOST_TEST(!m.try_lock_for(1ms)); });
    fiber reader([&] {
        const std::shared_lock lock(m, 1h);
        BOOST_TEST(lock.owns_lock());
        BOOST_TEST((elapsed() == 1ms));
    });
    reader.join();
    writer.join();
    m.unlock_shared();
    BOOST_TEST(m.try_lock());
    m.unlock();
}

FIBER_TEST_CASE(one_that_timed_out_and_has_not_run_yet_is_passed_over) {
    shared_timed_mutex m;
    m.lock();
    std::string trace;
    fiber first([&] { trace += m.try_lock_for(1ms) ? "!" : "t"; });
    fiber second([&] {
        const std::unique_lock lock(m, 1h);
        trace += lock.owns_lock() ? "s" : "!";
    });
    coir::this_fiber::sleep_for(1ms);  // its timer comes after that of the first
    m.unlock();
    first.join();
    second.join();
    BOOST_TEST(trace == "ts");
}

BOOST_AUTO_TEST_SUITE_END()
