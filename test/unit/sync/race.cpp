// SPDX-License-Identifier: BSL-1.0
// race(), of coir/gather.hpp.
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
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <variant>
#include <vector>

using coir::race;
using coir::test::elapsed;
using namespace std::chrono_literals;
using coir::this_fiber::sleep_for;

BOOST_AUTO_TEST_SUITE(race_call)

FIBER_TEST_CASE(the_first_to_end_wins_and_the_others_are_cancelled_and_awaited) {
    int stopped = 0;
    const int winner = race(
        [&] {
            try {
                sleep_for(1h);
            } catch (const coir::operation_cancelled&) {
                coir::shield([] { sleep_for(1ms); });
                ++stopped;
                throw;
            }
            return 1;
        },
        [] {
            sleep_for(2ms);
            return 2;
        });
    BOOST_TEST(winner == 2);
    BOOST_TEST(stopped == 1);
    BOOST_TEST((elapsed() == 3ms));
}

FIBER_TEST_CASE(an_exception_may_win) {
    BOOST_CHECK_THROW(race([] { sleep_for(1h); },
                           [] {
                               sleep_for(1ms);
                               throw std::runtime_error("won");
                           }),
                      std::runtime_error);
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(a_failure_after_the_decision_is_not_thrown) {
    const coir::test::captured_log log;
    const int winner = race([] { return 1; },
                            []() -> int {
                                try {
                                    sleep_for(1h);
                                } catch (const coir::operation_cancelled&) {
                                    throw std::runtime_error("late");
                                }
                                return 2;
                            });
    BOOST_TEST(winner == 1);
}

FIBER_TEST_CASE(different_results_make_a_variant) {
    auto result = race(
        [] {
            sleep_for(2ms);
            return 1;
        },
        [] {
            sleep_for(1ms);
            return std::string("two");
        },
        [] { sleep_for(3ms); });
    static_assert(std::is_same_v<decltype(result), std::variant<int, std::string, std::monostate>>);
    BOOST_TEST(result.index() == 1U);
    BOOST_TEST(std::get<1>(result) == "two");
}

FIBER_TEST_CASE(all_void_is_void) {
    static_assert(std::is_void_v<decltype(race([] {}, [] {}))>);
    race([] {}, [] { sleep_for(1h); });
    BOOST_TEST((elapsed() == 0ms));
}

FIBER_TEST_CASE(a_range_races_too_and_an_empty_one_is_refused) {
    std::vector<std::function<int()>> fns;
    for (int i = 0; i < 5; ++i) {
        fns.emplace_back([i] {
            sleep_for(std::chrono::milliseconds(5 - i));
            return i;
        });
    }
    BOOST_TEST(race(fns) == 4);
    BOOST_CHECK_THROW(race(std::vector<std::function<int()>>()), std::invalid_argument);
}

FIBER_TEST_CASE(a_cancelled_caller_cancels_all) {
    int stopped = 0;
    const auto sleep = [&] {
        try {
            sleep_for(1h);
        } catch (const coir::operation_cancelled&) {
            ++stopped;
            throw;
        }
    };
    BOOST_TEST(!coir::try_for(2ms, [&] { race(sleep, sleep); }));
    BOOST_TEST(stopped == 2);
}

FIBER_TEST_CASE(a_caller_that_is_cancelled_already_gets_no_winner) {
    coir::cancel_scope scope;
    scope.cancel();
    BOOST_TEST(!scope.run([] { race([] { return 1; }, [] { return 2; }); }));
}

FIBER_TEST_CASE(a_reference_may_win) {
    int variable = 0;
    BOOST_TEST(&race([&]() -> int& { return variable; }) == &variable);
}

FIBER_TEST_CASE(a_task_without_a_stack_ends_the_race_with_that_error) {
    const coir::test::no_new_stacks guard;
    const coir::test::captured_log log;  // the others that had no stack are logged
    const std::vector<std::function<void()>> fns(coir::test::no_new_stacks::more_tasks_than_stacks,
                                                 [] { sleep_for(1h); });
    BOOST_CHECK_EXCEPTION(race(fns), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::not_enough_memory;
    });
    BOOST_TEST((elapsed() == 0ms));
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_it_is_refused) {
    BOOST_CHECK_EXCEPTION(race([] {}, [] {}), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::operation_not_permitted;
    });
}

BOOST_AUTO_TEST_SUITE_END()
