// SPDX-License-Identifier: BSL-1.0
#include <coir/async.hpp>

#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"
#include "unit/sync/no_new_stacks.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

using coir::async;
using coir::future;
using coir::task_cancelled;
using coir::test::captured_log;
using coir::test::elapsed;
using coir::test::is;
using namespace std::chrono_literals;
using coir::this_fiber::sleep_for;
using coir::this_fiber::yield;

BOOST_AUTO_TEST_SUITE(async_and_future)

FIBER_TEST_CASE(get_waits_for_the_result) {
    future<int> f = async([] {
        sleep_for(3ms);
        return 7;
    });
    BOOST_TEST(!f.ready());
    BOOST_TEST(f.get() == 7);
    BOOST_TEST((elapsed() == 3ms));
    BOOST_TEST(!f.valid());
}

FIBER_TEST_CASE(results_may_be_void_references_and_move_only) {
    bool ran = false;
    async([&] { ran = true; }).get();
    BOOST_TEST(ran);
    int variable = 0;
    auto reference = async([&]() -> int& { return variable; });
    static_assert(std::is_same_v<decltype(reference), future<int&>>);
    BOOST_TEST(&reference.get() == &variable);
    BOOST_TEST(*async([] { return std::make_unique<int>(3); }).get() == 3);
}

FIBER_TEST_CASE(arguments_and_options_are_passed) {
    const auto add = [](int a, int b) {
        return a + b;
    };
    BOOST_TEST(async(add, 3, 4).get() == 7);
    BOOST_TEST(async(coir::fiber_options("adder"), add, 3, 4).get() == 7);
    BOOST_TEST(async({"named", 64 * 1024}, [] { return coir::this_fiber::name(); }).get() ==
               "named");
}

// Qualified: std's own is found by its policy as well.
FIBER_TEST_CASE(std_s_policies_are_taken_but_for_the_lazy_one) {
    const auto add = [](int a, int b) {
        return a + b;
    };
    BOOST_TEST(coir::async(std::launch::async, add, 3, 4).get() == 7);
    BOOST_TEST(coir::async(std::launch::async | std::launch::deferred, [] { return 5; }).get() ==
               5);
    BOOST_CHECK_EXCEPTION(
        coir::async(std::launch::deferred, add, 3, 4), std::system_error,
        [](const std::system_error& e) { return e.code() == std::errc::operation_not_supported; });
}

FIBER_TEST_CASE(arguments_are_decayed_and_moved_into_the_task) {
    int counted = 0;
    std::string text = "before";
    auto copied = async([](const std::string& given) { return given; }, text);
    auto referred = async([](int& count) { ++count; }, std::ref(counted));
    auto moved = async([](std::unique_ptr<int> given) { return *given; }, std::make_unique<int>(3));
    text = "after";
    BOOST_TEST(copied.get() == "before");
    referred.get();
    BOOST_TEST(counted == 1);
    BOOST_TEST(moved.get() == 3);
}

FIBER_TEST_CASE(a_callable_may_be_move_only_and_a_member_function) {
    auto owned = std::make_unique<int>(3);
    BOOST_TEST(async([owned = std::move(owned)] { return *owned; }).get() == 3);
    const std::string text = "four";
    BOOST_TEST(async(&std::string::size, &text).get() == 4U);
}

FIBER_TEST_CASE(tasks_run_at_once) {
    auto a = async([] { sleep_for(5ms); });
    auto b = async([] { sleep_for(5ms); });
    a.get();
    b.get();
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(an_exception_is_rethrown_by_get_and_not_logged) {
    const captured_log log;
    {
        auto f = async([]() -> int { throw std::runtime_error("inside"); });
        BOOST_CHECK_EXCEPTION(f.get(), std::runtime_error, [](const std::runtime_error& e) {
            return e.what() == std::string("inside");
        });
    }
    BOOST_TEST(log.messages() == 0U);
}

FIBER_TEST_CASE(an_exception_that_nobody_fetches_is_logged_with_the_fiber_s_name) {
    const captured_log log;
    {
        auto waited = async({"waited"}, [] { throw std::runtime_error("one"); });
        waited.wait();
    }
    BOOST_TEST(log.messages() == 1U);
    BOOST_TEST(log.has("'waited'"));
    BOOST_TEST(log.has("never fetched"));
    async({"dropped"}, [] { throw std::runtime_error("two"); });
    yield();
    BOOST_TEST(log.messages() == 2U);
    BOOST_TEST(log.has("'dropped'"));
}

FIBER_TEST_CASE(a_task_goes_on_when_its_future_is_dropped) {
    bool ended = false;
    async([&] {
        sleep_for(1ms);
        ended = true;
    });
    sleep_for(2ms);
    BOOST_TEST(ended);
}

FIBER_TEST_CASE(get_of_a_cancelled_task_throws_task_cancelled) {
    auto f = async({"worker"}, [] { sleep_for(1h); });
    yield();
    f.cancel();
    BOOST_CHECK_EXCEPTION(f.get(), task_cancelled, [](const task_cancelled& e) {
        return std::string(e.what()).find("'worker'") != std::string::npos;
    });
    static_assert(std::is_base_of_v<std::runtime_error, task_cancelled>);
}

FIBER_TEST_CASE(a_task_that_is_cancelled_before_it_ran_has_no_result) {
    bool waited = false;
    auto f = async([&] {
        yield();
        waited = true;
    });
    f.cancel();
    BOOST_CHECK_THROW(f.get(), task_cancelled);
    BOOST_TEST(!waited);
}

FIBER_TEST_CASE(a_task_that_returns_in_spite_of_its_cancellation_has_its_result) {
    auto f = async([] {
        try {
            sleep_for(1h);
        } catch (const coir::operation_cancelled&) {
            return 7;
        }
        return 8;
    });
    yield();
    f.cancel();
    BOOST_TEST(f.get() == 7);
}

FIBER_TEST_CASE(a_cancelled_task_that_nobody_asks_for_is_not_logged) {
    const captured_log log;
    {
        auto f = async([] { sleep_for(1h); });
        yield();
        f.cancel();
        f.wait();
    }
    BOOST_TEST(log.messages() == 0U);
}

FIBER_TEST_CASE(cancel_of_a_task_that_has_ended_does_nothing) {
    auto f = async([] { return 7; });
    f.wait();
    f.cancel();
    BOOST_TEST(f.get() == 7);
}

FIBER_TEST_CASE(a_cancelled_waiter_is_not_told_of_its_task) {
    auto f = async([] {
        sleep_for(5ms);
        return 7;
    });
    coir::cancel_scope scope(coir::deadline::after(1ms));
    BOOST_TEST(!scope.run([&] { f.get(); }));
    BOOST_TEST(f.valid());
    BOOST_TEST(f.get() == 7);
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(waits_are_cancellation_points_though_the_result_is_there) {
    auto f = async([] { return 7; });
    f.wait();
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] {
        BOOST_CHECK_THROW(f.wait(), coir::operation_cancelled);
        BOOST_CHECK_THROW(f.wait_for(1s), coir::operation_cancelled);
        BOOST_CHECK_THROW(f.get(), coir::operation_cancelled);
    });
    BOOST_TEST(f.get() == 7);
}

FIBER_TEST_CASE(wait_for_tells_whether_the_result_came_in_time) {
    auto f = async([] { sleep_for(5ms); });
    BOOST_TEST((f.wait_for(0s) == std::future_status::timeout));
    BOOST_TEST((f.wait_for(-1h) == std::future_status::timeout));
    BOOST_TEST((elapsed() == 0ms));
    BOOST_TEST((f.wait_for(2ms) == std::future_status::timeout));
    BOOST_TEST((elapsed() == 2ms));
    BOOST_TEST((f.wait_until(coir::deadline::after(1h)) == std::future_status::ready));
    BOOST_TEST((elapsed() == 5ms));
    BOOST_TEST((f.wait_for(0s) == std::future_status::ready));
    f.get();
}

FIBER_TEST_CASE(several_fibers_wait_for_one_result) {
    auto f = async([] { sleep_for(1ms); });
    int woken = 0;
    coir::fiber a([&] {
        f.wait();
        ++woken;
    });
    coir::fiber b([&] {
        f.wait();
        ++woken;
    });
    a.join();
    b.join();
    BOOST_TEST(woken == 2);
    f.get();
}

FIBER_TEST_CASE(calls_on_a_future_without_state_throw_no_state) {
    future<int> f;
    BOOST_TEST(!f.valid());
    BOOST_CHECK_EXCEPTION(f.get(), std::future_error, is(std::future_errc::no_state));
    BOOST_CHECK_EXCEPTION(f.wait(), std::future_error, is(std::future_errc::no_state));
    BOOST_CHECK_EXCEPTION(f.ready(), std::future_error, is(std::future_errc::no_state));
    BOOST_CHECK_EXCEPTION(f.cancel(), std::future_error, is(std::future_errc::no_state));
    BOOST_CHECK_EXCEPTION(f.wait_for(1s), std::future_error, is(std::future_errc::no_state));
    auto used = async([] { return 1; });
    used.get();
    BOOST_CHECK_EXCEPTION(used.get(), std::future_error, is(std::future_errc::no_state));
}

FIBER_TEST_CASE(a_result_is_destroyed_once_whether_fetched_or_not) {
    auto counter = std::make_shared<int>(0);
    {
        auto fetched = async([counter] { return counter; });
        BOOST_TEST(fetched.get().use_count() >= 2);
        auto unfetched = async([counter] { return counter; });
        unfetched.wait();
    }
    yield();
    BOOST_TEST(counter.use_count() == 1);
}

FIBER_TEST_CASE(a_task_without_a_stack_fails_with_the_reason) {
    const coir::test::no_new_stacks guard;
    const captured_log log;
    auto f = async({"unlucky", coir::test::no_new_stacks::large_stack}, [] { return 1; });
    BOOST_CHECK_EXCEPTION(f.get(), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::not_enough_memory;
    });
    BOOST_TEST(log.messages() == 0U);
}

BOOST_AUTO_TEST_CASE(a_task_outside_run_is_refused) {
    BOOST_CHECK_EXCEPTION(async([] {}), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::operation_not_permitted;
    });
}

BOOST_AUTO_TEST_CASE(a_deadlock_names_the_result_that_is_waited_for) {
    const captured_log log;
    coir::test::fiber_world world;
    auto body = [] {
        coir::wait_queue queue;
        auto f = async({"never"}, [&] { queue.park(); });
        f.get();
    };
    const std::string report = world.run_into_deadlock(body);
    BOOST_TEST(report.find("the result of fiber") != std::string::npos);
    BOOST_TEST(report.find("'never'") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
