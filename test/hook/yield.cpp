// SPDX-License-Identifier: BSL-1.0
// Who waits for another one in a loop around sched_yield.
#include "hook/callers.hpp"

#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <sched.h>
#include <threads.h>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <thread>

using namespace coir::test;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

namespace {

using yielding_call = void (*)();

constexpr yielding_call calls[] = {
    [] { ::sched_yield(); },
    [] { ::thrd_yield(); },
    [] { std::this_thread::yield(); },
};

}  // namespace

BOOST_AUTO_TEST_SUITE(yielding)

BOOST_DATA_TEST_CASE(who_loops_around_it_sees_what_the_other_does,
                     data::make(casts) * data::make(calls), company, call) {
    const time_bomb limit;
    std::atomic<int> turn{0};
    const auto part = [&](int mine) {
        for (int round = 0; round < 100; ++round) {
            while (turn != 2 * round + mine) {
                call();
            }
            ++turn;
        }
    };
    company.play([&] { part(0); }, [&] { part(1); });
    BOOST_TEST(turn == 200);
}

BOOST_AUTO_TEST_CASE(it_lets_others_run_in_a_scope_that_has_ended_as_well) {
    const time_bomb limit;
    bool other_ran = false;
    in_fibers(
        [&] {
            coir::try_for(0ms, [&] {
                while (!other_ran) {
                    BOOST_TEST(::sched_yield() == 0);
                }
            });
        },
        [&] { other_ran = true; });
    BOOST_TEST(other_ran);
}

// On a plain thread a scope is enough for calls to be coir's.
BOOST_AUTO_TEST_CASE(a_plain_thread_in_a_scope_yields_to_threads) {
    const time_bomb limit;
    coir::try_for(1s, [] {
        BOOST_TEST(::sched_yield() == 0);
        coir::this_fiber::yield();
    });
}

BOOST_AUTO_TEST_SUITE_END()
