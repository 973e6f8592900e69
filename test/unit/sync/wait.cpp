// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/wait.hpp>

#include "support/fiber_test.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

using coir::deadline;
using coir::future;
using coir::wait;
using coir::wait_policy;
using coir::wait_result;
using coir::test::elapsed;
using namespace std::chrono_literals;

namespace {

using numbers = std::vector<std::size_t>;

// Tasks that end after so many milliseconds; a negative one fails.
std::vector<future<int>> tasks(const std::vector<int>& ends) {
    std::vector<future<int>> all;
    for (const int end : ends) {
        all.push_back(coir::async([end] {
            coir::this_fiber::sleep_for(std::chrono::milliseconds(end < 0 ? -end : end));
            return end < 0 ? throw std::runtime_error("failed") : end;
        }));
    }
    return all;
}

bool is(const wait_result& found, const numbers& done, const numbers& pending) {
    return found.done == done && found.pending == pending;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wait_for_futures)

FIBER_TEST_CASE(all_completed_waits_for_all_also_past_an_exception) {
    auto all = tasks({3, -1, 2});
    BOOST_TEST(is(wait(all), {0, 1, 2}, {}));
    BOOST_TEST((elapsed() == 3ms));
    BOOST_TEST(all[0].get() == 3);  // they still have their results
    BOOST_CHECK_THROW(all[1].get(), std::runtime_error);
}

FIBER_TEST_CASE(first_completed_waits_for_one) {
    auto all = tasks({3, 1, 2});
    BOOST_TEST(is(wait(all, wait_policy::first_completed), {1}, {0, 2}));
    BOOST_TEST((elapsed() == 1ms));
    BOOST_TEST(is(wait(all, wait_policy::first_completed), {1}, {0, 2}));  // at once
    BOOST_TEST((elapsed() == 1ms));
    wait(all);
}

FIBER_TEST_CASE(first_exception_waits_for_one_or_for_all) {
    auto failing = tasks({1, 4, -2, 3});
    BOOST_TEST(is(wait(failing, wait_policy::first_exception), {0, 2}, {1, 3}));
    BOOST_TEST((elapsed() == 2ms));
    BOOST_CHECK_THROW(failing[2].get(), std::runtime_error);
    failing.erase(failing.begin() + 2);
    BOOST_TEST(is(wait(failing, wait_policy::first_exception), {0, 1, 2}, {}));
    BOOST_TEST((elapsed() == 4ms));
}

FIBER_TEST_CASE(a_cancelled_task_is_no_exception) {
    auto all = tasks({5, 2});
    all[0].cancel();
    BOOST_TEST(is(wait(all, wait_policy::first_exception), {0, 1}, {}));
    BOOST_TEST((elapsed() == 2ms));
    BOOST_CHECK_THROW(all[0].get(), coir::task_cancelled);
}

FIBER_TEST_CASE(a_deadline_ends_the_wait_and_cancels_nothing) {
    auto all = tasks({1, 5, 9});
    for (const wait_policy policy : {wait_policy::all_completed, wait_policy::first_exception}) {
        BOOST_TEST(is(wait(all, policy, deadline::after(2ms)), {0}, {1, 2}));
    }
    BOOST_TEST((elapsed() == 4ms));
    BOOST_TEST(is(wait(all), {0, 1, 2}, {}));
    BOOST_TEST(all[2].get() == 9);
}

FIBER_TEST_CASE(it_takes_shared_futures_and_any_range) {
    std::array<coir::shared_future<int>, 2> all{coir::async([] { return 1; }),
                                                coir::async([] { return 2; })};
    BOOST_TEST(is(wait(all), {0, 1}, {}));
    BOOST_TEST(all[1].get() == 2);
}

FIBER_TEST_CASE(nothing_to_wait_for_is_a_mistake) {
    std::vector<future<int>> none;
    BOOST_CHECK_THROW(wait(none), std::invalid_argument);
    none.emplace_back();
    BOOST_CHECK_THROW(wait(none), std::future_error);
}

FIBER_TEST_CASE(it_is_a_cancellation_point_even_if_it_need_not_wait) {
    auto all = tasks({0});
    wait(all);
    coir::cancel_scope scope;
    int thrown = 0;
    scope.run([&] {
        scope.cancel();
        for (const wait_policy policy : {wait_policy::all_completed, wait_policy::first_exception,
                                         wait_policy::first_completed}) {
            try {
                wait(all, policy);
            } catch (const coir::operation_cancelled&) {
                ++thrown;
            }
        }
    });
    BOOST_TEST(thrown == 3);
}

FIBER_TEST_CASE(a_cancelled_wait_leaves_the_tasks_alone) {
    auto all = tasks({2, 3});
    coir::fiber waiting([&] { wait(all, wait_policy::first_completed); });
    coir::this_fiber::yield();
    waiting.cancel();
    waiting.join();
    BOOST_TEST(all[0].get() + all[1].get() == 5);
}

FIBER_TEST_CASE(results_may_come_from_threads) {
    constexpr std::size_t count = 200;
    std::vector<coir::promise<int>> promises(count);
    std::vector<future<int>> all;
    for (auto& p : promises) {
        all.push_back(p.get_future());
    }
    std::thread setter([&] {
        for (auto& p : promises) {
            p.set_value(1);
        }
    });
    std::size_t seen = 0;
    while (!all.empty()) {
        const wait_result found = wait(all, wait_policy::first_completed);
        BOOST_TEST_REQUIRE(!found.done.empty());
        seen += found.done.size();
        for (std::size_t i = found.done.size(); i-- != 0;) {
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(found.done[i]));
        }
    }
    setter.join();
    BOOST_TEST(seen == count);
}

BOOST_AUTO_TEST_SUITE_END()
