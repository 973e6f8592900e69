// SPDX-License-Identifier: BSL-1.0
#include <coir/gather.hpp>

#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "unit/sync/no_new_stacks.hpp"

#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

using coir::gather;
using coir::test::elapsed;
using namespace std::chrono_literals;
using coir::this_fiber::sleep_for;

BOOST_AUTO_TEST_SUITE(gather_call)

FIBER_TEST_CASE(it_returns_all_results_in_the_order_of_the_arguments) {
    const auto [a, b, c] = gather(
        [] {
            sleep_for(3ms);
            return 1;
        },
        [] { return std::string("two"); }, [] { return 3.0; });
    BOOST_TEST(a == 1);
    BOOST_TEST(b == "two");
    BOOST_TEST(c == 3.0);
}

FIBER_TEST_CASE(its_callables_run_at_once) {
    gather([] { sleep_for(5ms); }, [] { sleep_for(3ms); }, [] { sleep_for(5ms); });
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(they_start_in_the_order_in_which_they_are_written) {
    std::string trace;
    gather([&] { trace += 'a'; }, [&] { trace += 'b'; }, [&] { trace += 'c'; });
    BOOST_TEST(trace == "abc");
}

FIBER_TEST_CASE(void_is_monostate_and_references_stay) {
    int variable = 0;
    auto results = gather([] {}, [&]() -> int& { return variable; });
    static_assert(std::is_same_v<decltype(results), std::tuple<std::monostate, int&>>);
    BOOST_TEST(&std::get<1>(results) == &variable);
    BOOST_TEST(*std::get<0>(gather([] { return std::make_unique<int>(3); })) == 3);
}

FIBER_TEST_CASE(the_first_failure_cancels_the_others_and_is_thrown) {
    bool slept = false;
    BOOST_CHECK_THROW(gather(
                          [&] {
                              sleep_for(1h);
                              slept = true;
                          },
                          [] {
                              sleep_for(1ms);
                              throw std::runtime_error("x");
                          }),
                      std::runtime_error);
    BOOST_TEST(!slept);
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(a_range_gives_a_vector_in_its_order) {
    std::vector<std::function<int()>> fns;
    for (int i = 0; i < 10; ++i) {
        fns.emplace_back([i] {
            sleep_for(std::chrono::milliseconds(10 - i));
            return i;
        });
    }
    const std::vector<int> results = gather(fns);
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(results[static_cast<std::size_t>(i)] == i);
    }
    BOOST_TEST((elapsed() == 10ms));
    std::vector<std::function<void()>> nothings(3, [] {});
    static_assert(std::is_void_v<decltype(gather(nothings))>);
    gather(nothings);
    BOOST_TEST(gather(std::vector<std::function<int()>>()).empty());
}

FIBER_TEST_CASE(a_deadline_ends_all) {
    BOOST_CHECK_THROW(
        coir::with_timeout(2ms, [] { gather([] { sleep_for(1h); }, [] { sleep_for(2h); }); }),
        coir::timed_out);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(a_failure_in_a_range_is_thrown_when_the_others_have_stopped) {
    int stopped = 0;
    std::vector<std::function<int()>> fns(3, [&] {
        try {
            sleep_for(1h);
        } catch (const coir::operation_cancelled&) {
            coir::shield([] { sleep_for(1ms); });
            ++stopped;
            throw;
        }
        return 1;
    });
    fns.emplace_back([]() -> int { throw std::runtime_error("x"); });
    BOOST_CHECK_EXCEPTION(gather(fns), std::runtime_error,
                          [&](const std::runtime_error&) { return stopped == 3; });
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(callables_are_called_in_place_and_not_copied) {
    struct counter {
        counter() = default;
        counter(const counter&) = delete;
        counter& operator=(const counter&) = delete;
        int operator()() { return ++calls; }
        int calls = 0;
    };
    counter one;
    gather(one, one);
    BOOST_TEST(one.calls == 2);
}

FIBER_TEST_CASE(a_task_without_a_stack_fails_all) {
    const coir::test::no_new_stacks guard;
    const coir::test::captured_log log;  // all but the first that had no stack are logged
    const std::vector<std::function<void()>> fns(coir::test::no_new_stacks::more_tasks_than_stacks,
                                                 [] { sleep_for(1h); });
    BOOST_CHECK_EXCEPTION(gather(fns), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::not_enough_memory;
    });
    BOOST_TEST((elapsed() == 0ms));
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_it_is_refused) {
    BOOST_CHECK_EXCEPTION(gather([] {}, [] {}), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::operation_not_permitted;
    });
}

BOOST_AUTO_TEST_SUITE_END()
