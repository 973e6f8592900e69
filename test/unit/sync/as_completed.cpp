// SPDX-License-Identifier: BSL-1.0
// as_completed(), of coir/gather.hpp.
#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "unit/sync/no_new_stacks.hpp"

#include <coir/cancellation.hpp>
#include <coir/gather.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

using coir::as_completed;
using coir::test::elapsed;
using namespace std::chrono_literals;
using coir::this_fiber::sleep_for;

namespace {

std::vector<std::function<int()>> sleepers(std::initializer_list<int> milliseconds) {
    std::vector<std::function<int()>> fns;
    for (const int time : milliseconds) {
        fns.emplace_back([time] {
            sleep_for(std::chrono::milliseconds(time));
            return time;
        });
    }
    return fns;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(as_completed_call)

FIBER_TEST_CASE(futures_come_ready_in_the_order_in_which_tasks_end) {
    std::vector<int> order;
    for (auto& each : as_completed(sleepers({30, 10, 20}))) {
        BOOST_TEST(each.ready());
        order.push_back(each.get());
        BOOST_TEST((elapsed() == std::chrono::milliseconds(order.back())));
    }
    BOOST_TEST(order == (std::vector<int>{10, 20, 30}), boost::test_tools::per_element());
}

FIBER_TEST_CASE(a_failure_does_not_stop_the_others) {
    auto fns = sleepers({1, 3});
    fns.emplace_back([]() -> int {
        sleep_for(2ms);
        throw std::runtime_error("one of three");
    });
    int results = 0;
    int failures = 0;
    for (auto& each : as_completed(fns)) {
        try {
            each.get();
            ++results;
        } catch (const std::runtime_error&) {
            ++failures;
        }
    }
    BOOST_TEST(results == 2);
    BOOST_TEST(failures == 1);
}

FIBER_TEST_CASE(tasks_that_end_at_the_same_time_come_in_the_order_of_the_range) {
    std::vector<std::function<int()>> fns;
    for (int i = 0; i < 4; ++i) {
        fns.emplace_back([i] { return i; });
    }
    std::vector<int> order;
    for (auto& each : as_completed(fns)) {
        order.push_back(each.get());
    }
    BOOST_TEST(order == (std::vector<int>{0, 1, 2, 3}), boost::test_tools::per_element());
}

FIBER_TEST_CASE(a_failure_that_the_loop_does_not_fetch_is_logged_with_the_fiber_s_name) {
    const coir::test::captured_log log;
    std::string name;
    std::vector<std::function<void()>> fns{[&] {
        name = coir::this_fiber::name();
        throw std::runtime_error("unheard");
    }};
    for (auto& each : as_completed(fns)) {
        BOOST_TEST(each.ready());
    }
    BOOST_TEST(log.messages() == 1U);
    BOOST_TEST(log.has("'" + name + "'"));
    BOOST_TEST(log.has("unheard"));
}

FIBER_TEST_CASE(an_exception_of_the_loop_s_body_cancels_and_awaits_the_tasks_that_are_left) {
    int stopped = 0;
    std::vector<std::function<void()>> fns{[] {},
                                           [&] {
                                               try {
                                                   sleep_for(1h);
                                               } catch (const coir::operation_cancelled&) {
                                                   coir::shield([] { sleep_for(1ms); });
                                                   ++stopped;
                                                   throw;
                                               }
                                           }};
    const auto loop = [&] {
        for (auto& each : as_completed(fns)) {
            each.get();
            throw std::runtime_error("of the body");
        }
    };
    BOOST_CHECK_THROW(loop(), std::runtime_error);
    BOOST_TEST(stopped == 1);
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(leaving_the_loop_cancels_the_tasks_that_are_left) {
    for (auto& each : as_completed(sleepers({1, 3600000}))) {
        BOOST_TEST(each.get() == 1);
        break;
    }
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(an_empty_range_has_no_futures) {
    for (auto& each : as_completed(sleepers({}))) {
        each.get();
        BOOST_TEST(false);
    }
}

FIBER_TEST_CASE(a_slow_consumer_gets_them_in_order_too) {
    std::vector<int> order;
    for (auto& each : as_completed(sleepers({3, 1, 2}))) {
        sleep_for(10ms);
        order.push_back(each.get());
    }
    BOOST_TEST(order == (std::vector<int>{1, 2, 3}), boost::test_tools::per_element());
}

FIBER_TEST_CASE(a_deadline_ends_the_loop_and_the_tasks) {
    int seen = 0;
    BOOST_TEST(!coir::try_for(2ms, [&] {
        for (auto& each : as_completed(sleepers({1, 1000}))) {
            each.get();
            ++seen;
        }
    }));
    BOOST_TEST(seen == 1);
    BOOST_TEST((elapsed() == 2ms));
}

// Some tasks get no stack: their futures have that as their failure, like any other.
FIBER_TEST_CASE(tasks_without_a_stack_come_as_failures) {
    const coir::test::no_new_stacks guard;
    constexpr int many = coir::test::no_new_stacks::more_tasks_than_stacks;
    std::vector<std::function<int()>> fns(many, [] {
        sleep_for(1ms);
        return 1;
    });
    int results = 0;
    int failures = 0;
    for (auto& each : as_completed(fns)) {
        try {
            results += each.get();
        } catch (const std::system_error&) {
            ++failures;
        }
    }
    BOOST_TEST(results + failures == many);
    BOOST_TEST(results > 0);
    BOOST_TEST(failures > 0);
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_it_is_refused) {
    const std::vector<std::function<void()>> fns(2, [] {});
    BOOST_CHECK_EXCEPTION(as_completed(fns), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::operation_not_permitted;
    });
}

BOOST_AUTO_TEST_SUITE_END()
