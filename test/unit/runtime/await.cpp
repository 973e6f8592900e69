// SPDX-License-Identifier: BSL-1.0
#include <coir/await.hpp>

#include "runtime/blocking_pool.hpp"
#include "support/gate.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

using coir::await;
using coir::fiber;
using coir::operation_cancelled;
using coir::run;
using coir::test::gate;
using namespace std::chrono_literals;

namespace {

std::uint64_t blocking_calls() {
    return coir::detail::current_blocking_pool()->statistics().completed;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(awaiting_std)

BOOST_AUTO_TEST_CASE(other_fibers_run_while_one_awaits_a_future) {
    run([] {
        std::promise<int> promise;
        fiber setter([&] { promise.set_value(7); });
        BOOST_TEST(await(promise.get_future()) == 7);
        setter.join();
    });
}

BOOST_AUTO_TEST_CASE(a_result_of_any_kind_comes_back) {
    run([] {
        BOOST_TEST(
            *await(std::async(std::launch::async, [] { return std::make_unique<int>(3); })) == 3);
        int variable = 0;
        BOOST_TEST(&await(std::async(std::launch::async, [&]() -> int& { return variable; })) ==
                   &variable);
        await(std::async(std::launch::async, [&] { variable = 5; }));
        BOOST_TEST(variable == 5);
        BOOST_TEST(await(std::async(std::launch::deferred, [] { return 9; })) == 9);
        BOOST_CHECK_THROW(
            await(std::async(std::launch::async, []() -> int { throw std::runtime_error("x"); })),
            std::runtime_error);
    });
}

BOOST_AUTO_TEST_CASE(a_future_that_is_ready_costs_no_blocking_call) {
    run([] {
        std::promise<int> promise;
        promise.set_value(7);
        BOOST_TEST(await(promise.get_future()) == 7);
        std::promise<int> shared;
        shared.set_value(8);
        const auto future = shared.get_future().share();
        BOOST_TEST(await(future) == 8);
        BOOST_TEST(await(future) == 8);
        BOOST_TEST(blocking_calls() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_future_without_state_is_an_error) {
    const auto no_state = [](const std::future_error& e) {
        return e.code() == std::future_errc::no_state;
    };
    run([&] {
        BOOST_CHECK_EXCEPTION(await(std::future<int>()), std::future_error, no_state);
        BOOST_CHECK_EXCEPTION(await(std::shared_future<int>()), std::future_error, no_state);
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_caller_goes_on_and_a_shared_future_stays) {
    std::promise<int> promise;
    std::promise<std::unique_ptr<int>> dropped;
    run([&] {
        const auto shared = promise.get_future().share();
        BOOST_CHECK_THROW(coir::with_timeout(1ms, [&] { return await(shared); }), coir::timed_out);
        promise.set_value(7);
        BOOST_TEST(await(shared) == 7);
        fiber caller([&] { await(dropped.get_future()); });
        while (coir::detail::current_blocking_pool()->statistics().running == 0) {
            coir::this_fiber::yield();
        }
        caller.cancel();
        caller.join();
    });
    dropped.set_value(std::make_unique<int>(3));  // and no leak
}

BOOST_AUTO_TEST_CASE(awaiting_is_a_cancellation_point_though_the_result_is_there) {
    run([] {
        std::promise<int> promise;
        promise.set_value(7);
        const auto shared = promise.get_future().share();
        coir::cancel_scope scope;
        scope.cancel();
        BOOST_TEST(!scope.run([&] { await(shared); }));
    });
}

BOOST_AUTO_TEST_CASE(other_fibers_run_while_one_joins_a_thread) {
    run([] {
        gate go;
        std::thread thread([&] { go.pass(); });
        fiber opener([&] { go.open(); });
        coir::join(thread);
        BOOST_TEST(!thread.joinable());
        opener.join();
        BOOST_CHECK_EXCEPTION(coir::join(thread), std::system_error, [](const auto& e) {
            return e.code() == std::errc::invalid_argument;
        });
        std::jthread other([] {});
        coir::join(other);
        BOOST_TEST(!other.joinable());
    });
}

// What the thread runs may refer to the caller's stack, so the caller stays.
BOOST_AUTO_TEST_CASE(a_join_that_has_begun_is_awaited_by_a_cancelled_caller) {
    run([] {
        gate go;
        bool joined = false;
        bool waited_again = false;
        fiber caller([&] {
            std::thread thread([&] { go.pass(); });
            coir::join(thread);
            joined = true;
            coir::this_fiber::yield();  // throws
            waited_again = true;
        });
        while (coir::detail::current_blocking_pool()->statistics().running == 0) {
            coir::this_fiber::yield();
        }
        caller.cancel();
        coir::this_fiber::yield();
        BOOST_TEST(!joined);
        go.open();
        caller.join();
        BOOST_TEST(joined);
        BOOST_TEST(!waited_again);
    });
}

BOOST_AUTO_TEST_CASE(a_join_that_has_not_begun_leaves_the_thread_to_the_caller) {
    run([] {
        std::thread thread([] {});
        coir::cancel_scope scope;
        scope.cancel();
        BOOST_TEST(!scope.run([&] { coir::join(thread); }));
        BOOST_TEST(thread.joinable());
        coir::join(thread);
    });
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_they_are_std_s_own_calls) {
    BOOST_TEST(await(std::async(std::launch::async, [] { return 7; })) == 7);
    std::thread thread([] {});
    coir::join(thread);
    BOOST_TEST(!thread.joinable());
}

BOOST_AUTO_TEST_SUITE_END()
