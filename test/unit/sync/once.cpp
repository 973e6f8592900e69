// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/once.hpp>

#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

using coir::call_once;
using coir::fiber;
using coir::once_flag;
using coir::test::elapsed;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(once)

FIBER_TEST_CASE(one_calls_and_the_others_wait_until_it_is_done) {
    once_flag flag;
    int calls = 0;
    std::deque<fiber> fibers;
    for (int i = 0; i < 3; ++i) {
        fibers.emplace_back([&] {
            call_once(flag, [&] {
                ++calls;
                coir::this_fiber::sleep_for(2ms);
            });
            BOOST_TEST((elapsed() == 2ms));
        });
    }
    for (fiber& f : fibers) {
        f.join();
    }
    call_once(flag, [&] { ++calls; });
    BOOST_TEST(calls == 1);
}

FIBER_TEST_CASE(arguments_are_passed_on) {
    once_flag flag;
    int sum = 0;
    call_once(
        flag, [&](int a, std::unique_ptr<int> b, int& to) { to = a + *b; }, 1,
        std::make_unique<int>(2), sum);
    BOOST_TEST(sum == 3);
}

FIBER_TEST_CASE(if_it_throws_who_has_waited_longest_calls_next) {
    once_flag flag;
    std::string trace;
    const auto call = [&](char name, bool fails) {
        call_once(flag, [&] {
            trace += name;
            coir::this_fiber::sleep_for(1ms);
            if (fails) {
                throw std::runtime_error("failed");
            }
        });
        trace += '.';
    };
    fiber a([&] { BOOST_CHECK_THROW(call('a', true), std::runtime_error); });
    fiber b([&] { BOOST_CHECK_THROW(call('b', true), std::runtime_error); });
    fiber c([&] { call('c', false); });
    fiber d([&] { call('d', false); });
    a.join();
    b.join();
    c.join();
    d.join();
    BOOST_TEST(trace == "abc..");
}

FIBER_TEST_CASE(if_it_throws_and_nobody_waits_the_next_to_come_calls) {
    once_flag flag;
    BOOST_CHECK_THROW(call_once(flag, [] { throw std::runtime_error("failed"); }),
                      std::runtime_error);
    int calls = 0;
    call_once(flag, [&] { ++calls; });
    BOOST_TEST(calls == 1);
}

FIBER_TEST_CASE(a_cancelled_call_is_one_that_throws) {
    once_flag flag;
    fiber cancelled([&] { call_once(flag, [] { coir::this_fiber::sleep_for(1h); }); });
    coir::this_fiber::yield();
    bool called = false;
    fiber next([&] { call_once(flag, [&] { called = true; }); });
    coir::this_fiber::yield();
    cancelled.cancel();
    next.join();
    BOOST_TEST(called);
    cancelled.join();
}

FIBER_TEST_CASE(waiting_for_another_call_is_a_cancellation_point_and_nothing_else_is) {
    once_flag flag;
    fiber calling([&] { call_once(flag, [] { coir::this_fiber::sleep_for(5ms); }); });
    coir::this_fiber::yield();
    BOOST_CHECK_THROW(coir::with_timeout(1ms, [&] { call_once(flag, [] {}); }), coir::timed_out);
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] { BOOST_CHECK_THROW(call_once(flag, [] {}), coir::operation_cancelled); });
    BOOST_TEST((elapsed() == 1ms));
    calling.join();
    bool ended = false;
    coir::cancel_scope other;
    other.cancel();
    other.run([&] {
        call_once(flag, [] {});  // done
        once_flag fresh;
        call_once(fresh, [] {});
        ended = true;
    });
    BOOST_TEST(ended);
}

FIBER_TEST_CASE(a_call_that_was_handed_over_before_the_cancellation_is_made) {
    once_flag flag;
    bool called = false;
    fiber next;
    fiber failing([&] {
        BOOST_CHECK_THROW(call_once(flag,
                                    [] {
                                        coir::this_fiber::sleep_for(1ms);
                                        throw std::runtime_error("failed");
                                    }),
                          std::runtime_error);
        next.cancel();
    });
    coir::this_fiber::yield();
    next = fiber([&] { call_once(flag, [&] { called = true; }); });
    failing.join();
    next.join();
    BOOST_TEST(called);
}

FIBER_TEST_CASE(a_call_inside_its_own_is_an_error) {
    once_flag flag;
    BOOST_CHECK_EXCEPTION(
        call_once(flag, [&] { call_once(flag, [] {}); }), std::system_error,
        coir::test::is(std::errc::resource_deadlock_would_occur, "coir::call_once: 'main'"));
    bool called = false;
    call_once(flag, [&] { called = true; });
    BOOST_TEST(called);
}

BOOST_AUTO_TEST_SUITE_END()
