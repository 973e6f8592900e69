// SPDX-License-Identifier: BSL-1.0
// Tasks that begin at once (fiber_options::eager), and may have ended before there is a future.
#include "support/fiber_test.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

coir::fiber_options eager() { return coir::fiber_options("eager").eagerly(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(eager_tasks)

FIBER_TEST_CASE(one_that_does_not_wait_has_ended_when_there_is_a_future) {
    std::string trace;
    coir::future<int> result = coir::async(eager(), [&] {
        trace += 'a';
        return 7;
    });
    BOOST_TEST(trace == "a");
    BOOST_TEST(result.ready());
    BOOST_TEST(result.get() == 7);
    coir::task_group group;
    group.spawn(eager(), [&] { trace += 'g'; });
    BOOST_TEST(trace == "ag");
    BOOST_TEST(group.size() == 0U);
    group.join();
}

FIBER_TEST_CASE(cancelling_the_future_of_one_that_waits_reaches_it) {
    coir::future<void> result = coir::async(eager(), [] { coir::this_fiber::sleep_for(hours(1)); });
    result.cancel();
    BOOST_CHECK_THROW(result.get(), coir::task_cancelled);
    BOOST_TEST((coir::test::elapsed() == milliseconds(0)));
}

FIBER_TEST_CASE(a_group_learns_of_a_failure_before_the_spawn_returns) {
    bool sibling_cancelled = false;
    coir::task_group group;
    group.spawn([&] {
        try {
            coir::this_fiber::sleep_for(hours(1));
        } catch (const coir::operation_cancelled&) {
            sibling_cancelled = true;
            throw;
        }
    });
    coir::this_fiber::yield();
    group.spawn(eager(), [] { throw std::runtime_error("at once"); });
    BOOST_CHECK_THROW(group.join(), std::runtime_error);
    BOOST_TEST(sibling_cancelled);
}

FIBER_TEST_CASE(in_a_cancelled_group_it_begins_and_its_first_wait_throws) {
    coir::task_group group;
    group.cancel();
    bool began = false;
    bool went_on = false;
    group.spawn(eager(), [&] {
        began = true;
        coir::this_fiber::yield();
        went_on = true;
    });
    BOOST_TEST(began);
    group.join();
    BOOST_TEST(!went_on);
}

BOOST_AUTO_TEST_SUITE_END()
