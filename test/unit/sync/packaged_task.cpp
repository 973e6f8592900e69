// SPDX-License-Identifier: BSL-1.0
#include <coir/packaged_task.hpp>

#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

using coir::future;
using coir::packaged_task;
using coir::test::captured_log;
using coir::test::elapsed;
using coir::test::is;
using namespace std::chrono_literals;

namespace {

int twice(int number) { return 2 * number; }

}  // namespace

BOOST_AUTO_TEST_SUITE(packaged_tasks)

FIBER_TEST_CASE(the_result_of_a_call_reaches_the_future_that_waits) {
    packaged_task<int(int)> task([](int number) {
        coir::this_fiber::sleep_for(1ms);
        return number + 1;
    });
    future<int> f = task.get_future();
    coir::fiber caller([&] { task(6); });
    BOOST_TEST(!f.ready());
    BOOST_TEST(f.get() == 7);
    BOOST_TEST((elapsed() == 1ms));
    caller.join();
}

FIBER_TEST_CASE(tasks_go_through_a_queue_to_whoever_calls_them) {
    std::deque<packaged_task<int()>> work;
    std::deque<future<int>> results;
    for (int i = 1; i <= 3; ++i) {
        results.push_back(work.emplace_back([i] { return i; }).get_future());
    }
    coir::fiber worker([&] {
        for (; !work.empty(); work.pop_front()) {
            work.front()();
        }
    });
    int sum = 0;
    for (auto& f : results) {
        sum += f.get();
    }
    BOOST_TEST(sum == 6);
    worker.join();
}

FIBER_TEST_CASE(a_fiber_and_async_take_a_task_as_any_function) {
    packaged_task<int(int)> one(twice);
    packaged_task<int(int)> other(twice);
    auto a = one.get_future();
    auto b = other.get_future();
    coir::fiber f(std::move(one), 2);
    coir::async(std::move(other), 3).get();
    BOOST_TEST(a.get() == 4);
    BOOST_TEST(b.get() == 6);
    f.join();
}

BOOST_AUTO_TEST_CASE(results_may_be_void_references_and_move_only) {
    int variable = 0;
    packaged_task<void()> nothing([&] { ++variable; });
    auto a = nothing.get_future();
    nothing();
    a.get();
    BOOST_TEST(variable == 1);
    packaged_task<int&()> reference([&]() -> int& { return variable; });
    auto b = reference.get_future();
    reference();
    BOOST_TEST(&b.get() == &variable);
    packaged_task<std::unique_ptr<int>()> moved([] { return std::make_unique<int>(3); });
    auto c = moved.get_future();
    moved();
    BOOST_TEST(*c.get() == 3);
}

BOOST_AUTO_TEST_CASE(a_result_is_converted_and_void_takes_any) {
    packaged_task<std::string()> text([] { return "text"; });
    auto a = text.get_future();
    text();
    BOOST_TEST(a.get() == "text");
    packaged_task<void(int)> dropped(twice);
    auto b = dropped.get_future();
    dropped(1);
    BOOST_TEST(b.ready());
}

BOOST_AUTO_TEST_CASE(arguments_are_passed_as_the_signature_says) {
    int counted = 0;
    packaged_task<int(int&, std::unique_ptr<int>, const std::string&)> task(
        [](int& count, std::unique_ptr<int> owned, const std::string& text) {
            ++count;
            return *owned + static_cast<int>(text.size());
        });
    auto f = task.get_future();
    task(counted, std::make_unique<int>(3), "four");
    BOOST_TEST(f.get() == 7);
    BOOST_TEST(counted == 1);
}

BOOST_AUTO_TEST_CASE(a_callable_may_be_move_only_and_a_member_function) {
    auto owned = std::make_unique<int>(3);
    packaged_task<int()> task([owned = std::move(owned)] { return *owned; });
    auto f = task.get_future();
    task();
    BOOST_TEST(f.get() == 3);
    packaged_task<std::size_t(const std::string&)> size(&std::string::size);
    auto g = size.get_future();
    size("four");
    BOOST_TEST(g.get() == 4U);
}

BOOST_AUTO_TEST_CASE(its_signature_is_known_from_the_function) {
    static_assert(std::is_same_v<decltype(packaged_task(twice)), packaged_task<int(int)>>);
    packaged_task task([](int a, double b) noexcept { return a + b; });
    static_assert(std::is_same_v<decltype(task), packaged_task<double(int, double)>>);
    const auto stateful = [i = 0]() mutable {
        return ++i;
    };
    static_assert(std::is_same_v<decltype(packaged_task(stateful)), packaged_task<int()>>);
    packaged_task taken(std::move(task));
    static_assert(std::is_same_v<decltype(taken), packaged_task<double(int, double)>>);
    auto f = taken.get_future();
    taken(1, 0.5);
    BOOST_TEST(f.get() == 1.5);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_called_makes_no_task) {
    using task = packaged_task<int(int)>;
    static_assert(std::is_constructible_v<task, int (*)(int)>);
    static_assert(!std::is_constructible_v<task, int (*)(std::string)>);
    static_assert(!std::is_constructible_v<task, void (*)(int)>);
    static_assert(!std::is_convertible_v<int (*)(int), task>);
    static_assert(!std::is_copy_constructible_v<task> && !std::is_copy_assignable_v<task>);
    static_assert(std::is_nothrow_move_constructible_v<task>);
    static_assert(std::is_nothrow_move_assignable_v<task>);
    BOOST_TEST(!task().valid());
}

BOOST_AUTO_TEST_CASE(an_exception_reaches_the_future_and_not_the_caller) {
    const captured_log log;
    {
        packaged_task<int()> task([]() -> int { throw std::runtime_error("inside"); });
        auto f = task.get_future();
        task();
        BOOST_CHECK_EXCEPTION(f.get(), std::runtime_error, [](const std::runtime_error& e) {
            return e.what() == std::string("inside");
        });
    }
    BOOST_TEST(log.messages() == 0U);
}

FIBER_TEST_CASE(a_cancelled_call_goes_on_and_its_future_has_no_result) {
    packaged_task<int()> task([] {
        coir::this_fiber::sleep_for(1h);
        return 1;
    });
    auto f = task.get_future();
    bool went_on = false;
    coir::fiber caller([&] {
        try {
            task();
        } catch (const coir::operation_cancelled&) {
            went_on = true;
            throw;
        }
    });
    coir::this_fiber::yield();
    caller.cancel();
    BOOST_CHECK_THROW(f.get(), coir::task_cancelled);
    caller.join();
    BOOST_TEST(went_on);
}

BOOST_AUTO_TEST_CASE(a_task_that_goes_without_a_call_breaks_its_promise) {
    const captured_log log;
    future<int> f;
    {
        packaged_task<int(int)> task(twice);
        f = task.get_future();
    }
    BOOST_REQUIRE(f.ready());
    BOOST_CHECK_EXCEPTION(f.get(), std::future_error, is(std::future_errc::broken_promise));
    { const packaged_task<int(int)> unused(twice); }
    BOOST_TEST(log.messages() == 0U);
}

BOOST_AUTO_TEST_CASE(a_moved_task_is_not_broken_and_leaves_none_behind) {
    packaged_task<int(int)> task(twice);
    auto f = task.get_future();
    packaged_task<int(int)> moved(std::move(task));
    packaged_task<int(int)> assigned;
    assigned = std::move(moved);
    BOOST_TEST(!f.ready());
    assigned(1);
    BOOST_TEST(f.get() == 2);
    // NOLINTNEXTLINE(bugprone-use-after-move): what a moved-from task does
    BOOST_TEST(!task.valid());
    BOOST_CHECK_EXCEPTION(task(1), std::future_error, is(std::future_errc::no_state));
    BOOST_CHECK_EXCEPTION(task.get_future(), std::future_error, is(std::future_errc::no_state));
    BOOST_CHECK_EXCEPTION(task.reset(), std::future_error, is(std::future_errc::no_state));
}

BOOST_AUTO_TEST_CASE(an_assignment_breaks_the_promise_that_is_overwritten) {
    packaged_task<int(int)> task(twice);
    auto f = task.get_future();
    task = packaged_task<int(int)>(twice);
    BOOST_REQUIRE(f.ready());
    BOOST_CHECK_EXCEPTION(f.get(), std::future_error, is(std::future_errc::broken_promise));
    task = packaged_task<int(int)>();
    BOOST_TEST(!task.valid());
}

BOOST_AUTO_TEST_CASE(a_task_is_called_once) {
    int calls = 0;
    packaged_task<int()> task([&] { return ++calls; });
    auto f = task.get_future();
    task();
    BOOST_CHECK_EXCEPTION(task(), std::future_error,
                          is(std::future_errc::promise_already_satisfied));
    BOOST_TEST(f.get() == 1);
    BOOST_CHECK_EXCEPTION(task(), std::future_error,
                          is(std::future_errc::promise_already_satisfied));
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a_future_is_handed_out_once) {
    packaged_task<int(int)> task(twice);
    const auto f = task.get_future();
    BOOST_CHECK_EXCEPTION(task.get_future(), std::future_error,
                          is(std::future_errc::future_already_retrieved));
}

BOOST_AUTO_TEST_CASE(after_reset_the_same_function_has_a_future_again) {
    packaged_task<int()> task([calls = 0]() mutable { return ++calls; });
    auto first = task.get_future();
    task();
    task.reset();
    auto second = task.get_future();
    BOOST_TEST(!second.ready());
    task();
    BOOST_TEST(first.get() == 1);
    BOOST_TEST(second.get() == 2);
    task.reset();
    auto dropped = task.get_future();
    task.reset();
    BOOST_REQUIRE(dropped.ready());
    BOOST_CHECK_EXCEPTION(dropped.get(), std::future_error, is(std::future_errc::broken_promise));
}

BOOST_AUTO_TEST_CASE(a_function_that_resets_its_task_still_keeps_its_promise) {
    packaged_task<int()> task;
    bool again = false;
    task = packaged_task<int()>([&] {
        if (!std::exchange(again, true)) {
            task.reset();
            return 1;
        }
        return 2;
    });
    auto first = task.get_future();
    task();
    auto second = task.get_future();
    BOOST_REQUIRE(first.ready());
    BOOST_TEST(first.get() == 1);
    BOOST_TEST(!second.ready());
    task();
    BOOST_TEST(second.get() == 2);
}

BOOST_AUTO_TEST_CASE(a_function_that_calls_its_task_gets_an_error) {
    packaged_task<bool()> task;
    task = packaged_task<bool()>([&] {
        BOOST_CHECK_EXCEPTION(task(), std::future_error,
                              is(std::future_errc::promise_already_satisfied));
        return true;
    });
    auto f = task.get_future();
    task();
    BOOST_TEST(f.get());
}

BOOST_AUTO_TEST_CASE(swap_exchanges_functions_and_states) {
    packaged_task<int(int)> task(twice);
    packaged_task<int(int)> other([](int number) { return number; });
    auto f = task.get_future();
    swap(task, other);
    auto g = task.get_future();
    other(1);
    task(1);
    BOOST_TEST(f.get() == 2);
    BOOST_TEST(g.get() == 1);
    packaged_task<int(int)> none;
    task.swap(none);
    BOOST_TEST(!task.valid());
    BOOST_TEST(none.valid());
}

BOOST_AUTO_TEST_CASE(cancel_of_a_task_s_future_does_nothing) {
    packaged_task<int(int)> task(twice);
    auto f = task.get_future();
    f.cancel();
    task(1);
    BOOST_TEST(f.get() == 2);
}

BOOST_AUTO_TEST_SUITE_END()
