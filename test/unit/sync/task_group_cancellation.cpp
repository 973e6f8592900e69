// SPDX-License-Identifier: BSL-1.0
// What cancels a task_group's tasks, and what its owner learns then.
#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "unit/sync/no_new_stacks.hpp"

#include <coir/cancellation.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>

using coir::cancel_scope;
using coir::operation_cancelled;
using coir::task_group;
using coir::test::captured_log;
using coir::test::elapsed;
using namespace std::chrono_literals;
using coir::this_fiber::sleep_for;
using coir::this_fiber::yield;

namespace {

auto says(const char* text) {
    return [text](const std::exception& e) {
        return e.what() == std::string(text);
    };
}

// A task that needs a while to stop.
auto stops_after(std::chrono::milliseconds time, int& stopped) {
    return [time, &stopped] {
        try {
            sleep_for(1h);
        } catch (const operation_cancelled&) {
            coir::shield([time] { sleep_for(time); });
            ++stopped;
            throw;
        }
    };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task_group_cancellation)

FIBER_TEST_CASE(an_owner_that_is_cancelled_while_it_joins_gets_the_failure_if_there_is_one) {
    std::string caught;
    coir::fiber owner([&] {
        task_group group;
        group.spawn([] {
            try {
                sleep_for(1h);
            } catch (const operation_cancelled&) {
                throw std::runtime_error("while stopping");
            }
        });
        try {
            group.join();
        } catch (const std::runtime_error& e) {
            caught = e.what();
        }
    });
    yield();
    owner.cancel();
    owner.join();
    BOOST_TEST(caught == "while stopping");
}

FIBER_TEST_CASE(an_owner_that_is_cancelled_while_failed_tasks_stop_gets_the_failure_too) {
    int stopped = 0;
    task_group group;
    group.spawn(stops_after(5ms, stopped));
    group.spawn([] {
        yield();
        throw std::runtime_error("first");
    });
    BOOST_CHECK_EXCEPTION(coir::with_timeout(2ms, [&] { group.join(); }), std::runtime_error,
                          says("first"));
    BOOST_TEST(stopped == 1);
    BOOST_TEST((elapsed() == 5ms));
}

// The group was made outside of the scope that ends the join, so that only join() cancels the
// tasks.
FIBER_TEST_CASE(a_cancelled_join_cancels_and_awaits_tasks_that_the_scope_does_not_reach) {
    int stopped = 0;
    task_group group;
    group.spawn(stops_after(3ms, stopped));
    BOOST_CHECK_THROW(coir::with_timeout(2ms, [&] { group.join(); }), coir::timed_out);
    BOOST_TEST(stopped == 1);
    BOOST_TEST(group.size() == 0U);
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(a_scope_s_cancellation_reaches_the_tasks_while_the_owner_does_something_else) {
    int stopped = 0;
    cancel_scope scope;
    scope.run([&] {
        task_group group;
        group.spawn(stops_after(0ms, stopped));
        yield();
        scope.cancel();
        coir::shield([] { sleep_for(1ms); });
        BOOST_TEST(stopped == 1);
    });
}

FIBER_TEST_CASE(a_group_that_is_made_in_a_shield_is_shielded) {
    bool ended = false;
    cancel_scope scope;
    scope.run([&] {
        coir::shield([&] {
            task_group group;
            group.spawn([&] {
                sleep_for(2ms);
                ended = true;
            });
            scope.cancel();
            group.join();
        });
    });
    BOOST_TEST(ended);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(the_destructor_awaits_though_its_owner_is_cancelled) {
    int stopped = 0;
    cancel_scope scope;
    scope.run([&] {
        task_group group;
        group.spawn(stops_after(2ms, stopped));
        yield();
        scope.cancel();
    });
    BOOST_TEST(stopped == 1);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(a_cancelled_group_takes_its_inner_groups_along) {
    int stopped = 0;
    task_group outer;
    outer.spawn([&] {
        task_group inner;
        inner.spawn(stops_after(1ms, stopped));
        inner.spawn(stops_after(2ms, stopped));
        inner.join();
    });
    sleep_for(1ms);
    outer.cancel();
    outer.join();
    BOOST_TEST(stopped == 2);
    BOOST_TEST((elapsed() == 3ms));
}

FIBER_TEST_CASE(a_failure_of_an_inner_group_stays_in_it_if_it_is_handled) {
    bool sibling_ended = false;
    task_group outer;
    outer.spawn([] {
        task_group inner;
        inner.spawn([] { throw std::runtime_error("inner"); });
        BOOST_CHECK_EXCEPTION(inner.join(), std::runtime_error, says("inner"));
    });
    outer.spawn([&] {
        sleep_for(1ms);
        sibling_ended = true;
    });
    outer.join();
    BOOST_TEST(sibling_ended);
}

FIBER_TEST_CASE(after_a_failure_new_tasks_start_cancelled) {
    task_group group;
    group.spawn([] { throw std::runtime_error("first"); });
    BOOST_CHECK_THROW(group.join(), std::runtime_error);
    auto late = group.spawn([] { yield(); });
    group.join();  // the failure has been reported
    BOOST_CHECK_THROW(late.get(), coir::task_cancelled);
}

FIBER_TEST_CASE(a_task_may_cancel_its_own_group) {
    int stopped = 0;
    task_group group;
    group.spawn(stops_after(1ms, stopped));
    group.spawn([&] {
        yield();
        group.cancel();
        BOOST_CHECK_THROW(yield(), operation_cancelled);
    });
    group.join();
    BOOST_TEST(stopped == 1);
}

FIBER_TEST_CASE(a_task_without_a_stack_fails_its_future_and_the_group) {
    const coir::test::no_new_stacks guard;
    const captured_log log;
    int stopped = 0;
    task_group group;
    group.spawn(stops_after(1ms, stopped));
    auto unlucky = group.spawn({"unlucky", coir::test::no_new_stacks::large_stack}, [] {});
    const auto out_of_memory = [](const std::system_error& e) {
        return e.code() == std::errc::not_enough_memory;
    };
    BOOST_CHECK_EXCEPTION(unlucky.get(), std::system_error, out_of_memory);
    BOOST_CHECK_EXCEPTION(group.join(), std::system_error, out_of_memory);
    BOOST_TEST(stopped == 1);
    BOOST_TEST(log.messages() == 0U);
}

FIBER_TEST_CASE(a_failure_of_a_task_whose_future_was_dropped_reaches_the_group_alone) {
    const captured_log log;
    task_group group;
    static_cast<void>(group.spawn([]() -> int { throw std::runtime_error("kept"); }));
    BOOST_CHECK_EXCEPTION(group.join(), std::runtime_error, says("kept"));
    BOOST_TEST(log.messages() == 0U);
}

FIBER_TEST_CASE(the_destructor_logs_a_failure_on_the_way_out_of_an_exception) {
    const captured_log log;
    BOOST_CHECK_EXCEPTION(
        {
            task_group group;
            group.spawn([] { throw std::runtime_error("of the task"); });
            yield();
            throw std::runtime_error("of the owner");
        },
        std::runtime_error, says("of the owner"));
    BOOST_TEST(log.messages() == 1U);
    BOOST_TEST(log.has("of the task"));
}

FIBER_TEST_CASE(several_fibers_join_one_group) {
    int joined = 0;
    task_group group;
    group.spawn([] { sleep_for(1ms); });
    coir::fiber other([&] {
        group.join();
        ++joined;
    });
    group.join();
    other.join();
    BOOST_TEST(joined == 1);
    BOOST_TEST((elapsed() == 1ms));
}

BOOST_AUTO_TEST_SUITE_END()
