// SPDX-License-Identifier: BSL-1.0
// Tasks that are called by other threads than those that wait for their results.
#include "support/fiber_test.hpp"

#include <coir/fiber.hpp>
#include <coir/packaged_task.hpp>
#include <coir/sync/channel.hpp>

#include <boost/test/unit_test.hpp>

#include <deque>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using coir::packaged_task;
using coir::test::run_in_fiber_world;

BOOST_AUTO_TEST_SUITE(packaged_tasks_between_threads)

FIBER_TEST_CASE(a_thread_calls_the_task_that_a_fiber_waits_for) {
    packaged_task<int(int)> task([](int number) { return number + 1; });
    auto f = task.get_future();
    std::promise<void> fiber_waits;
    std::thread caller(
        [&fiber_waits](packaged_task<int(int)> own) {
            fiber_waits.get_future().wait();
            own(6);
        },
        std::move(task));
    // It runs when the main fiber has parked.
    coir::fiber starter([&] { fiber_waits.set_value(); });
    BOOST_TEST(f.get() == 7);
    caller.join();
}

BOOST_AUTO_TEST_CASE(a_fiber_calls_the_task_that_a_thread_waits_for) {
    packaged_task<int()> task([] { return 7; });
    auto f = task.get_future();
    std::thread carrier([&] { run_in_fiber_world([&] { task(); }); });
    BOOST_TEST(f.get() == 7);
    carrier.join();
}

// Goal: as promise, a task may be destroyed as soon as its result is there. Method: the waiter does
// so while the caller is on its way out, which ASan and TSan watch.
FIBER_TEST_CASE(who_has_the_result_may_destroy_the_task_at_once) {
    for (int i = 0; i < 200; ++i) {
        std::optional<packaged_task<int()>> task(std::in_place, [i] { return i; });
        auto f = task->get_future();
        std::thread caller([&] { (*task)(); });
        BOOST_TEST(f.get() == i);
        task.reset();
        caller.join();
    }
}

// Goal: no result is lost between several that call and several that wait, and each promise that
// was dropped is broken.
FIBER_TEST_CASE(many_tasks_are_called_by_threads_while_fibers_wait) {
    constexpr int threads = 3;
    constexpr int waiters = 4;
    constexpr int each = 500;
    coir::channel<packaged_task<int()>> work(16);
    std::vector<std::thread> callers;
    for (int i = 0; i < threads; ++i) {
        callers.emplace_back([&] {
            for (int number = 1; auto task = work.receive(); ++number) {
                if (number % 5 != 0) {
                    (*task)();
                }
            }
        });
    }
    int kept = 0;
    int broken = 0;
    std::deque<coir::fiber> fibers;
    for (int i = 0; i < waiters; ++i) {
        fibers.emplace_back([&] {
            for (int k = 0; k < each; ++k) {
                packaged_task<int()> task([k] { return k; });
                auto f = task.get_future();
                work.send(std::move(task));
                try {
                    BOOST_TEST(f.get() == k);
                    ++kept;
                } catch (const std::future_error&) {
                    ++broken;
                }
            }
        });
    }
    for (auto& fiber : fibers) {
        fiber.join();
    }
    work.close();
    for (auto& caller : callers) {
        caller.join();
    }
    BOOST_TEST(kept + broken == waiters * each);
    BOOST_TEST(kept > 0);
    BOOST_TEST(broken > 0);
}

BOOST_AUTO_TEST_SUITE_END()
