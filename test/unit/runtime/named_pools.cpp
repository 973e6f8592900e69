// SPDX-License-Identifier: BSL-1.0
// Blocking pools of the program's own: names, limits, counts, and who may use them.
#include <coir/blocking_pool.hpp>

#include "support/gate.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/fiber_local.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <pthread.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using coir::blocking_pool;
using coir::fiber;
using coir::run;
using coir::run_blocking;
using coir::test::gate;
using namespace std::chrono_literals;

namespace {

std::string name_of_this_thread() {
    char name[16] = {};
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    return name;
}

// Keeps the calls of a pool until the test lets them go. Calls that are abandoned outlive a test's
// variables.
struct held_calls {
    gate started;
    gate go;
    void hold() {
        started.open();
        go.pass();
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(named_pools)

BOOST_AUTO_TEST_CASE(a_call_runs_on_a_thread_of_the_pool_that_bears_its_name) {
    blocking_pool pool({"db", 2});
    BOOST_TEST(pool.name() == "db");
    run([&] {
        BOOST_TEST(run_blocking(pool, name_of_this_thread) == "db-1");
        BOOST_TEST(run_blocking(
                       pool, [](int a, int b) { return a + b; }, 3, 4) == 7);
        int variable = 0;
        BOOST_TEST(&run_blocking(pool, [&]() -> int& { return variable; }) == &variable);
        BOOST_TEST(*run_blocking(
                       pool, coir::abandon_on_cancel, [](auto p) { return p; },
                       std::make_unique<int>(3)) == 3);
        BOOST_CHECK_THROW(run_blocking(pool, [] { throw std::runtime_error("x"); }),
                          std::runtime_error);
        BOOST_TEST(coir::to_thread(pool, name_of_this_thread) == "db-1");
        BOOST_TEST(run_blocking(name_of_this_thread) == "coir-blocking-1");
    });
}

BOOST_AUTO_TEST_CASE(a_long_name_is_cut_so_that_the_number_stays) {
    blocking_pool pool({"a library of long ago", 11});
    held_calls calls;
    std::vector<std::string> names(11);
    run([&] {
        std::deque<fiber> callers;
        for (std::string& name : names) {
            callers.emplace_back([&] {
                run_blocking(pool, [&] {
                    name = name_of_this_thread();
                    calls.hold();
                });
            });
        }
        for (std::size_t i = 0; i < names.size(); ++i) {
            calls.started.pass();
        }
        calls.go.open(11);
        for (fiber& caller : callers) {
            caller.join();
        }
    });
    BOOST_TEST(std::count(names.begin(), names.end(), "a library of -9") == 1);
    BOOST_TEST(std::count(names.begin(), names.end(), "a library of-10") == 1);
}

BOOST_AUTO_TEST_CASE(the_pool_of_a_run_has_counts_as_well) {
    BOOST_TEST(coir::blocking_statistics().threads == 0U);  // on a plain thread
    held_calls calls;
    run([&] {
        fiber caller([&] { run_blocking([&] { calls.hold(); }); });
        calls.started.pass();
        BOOST_TEST(coir::blocking_statistics().running == 1U);
        calls.go.open(1);
        caller.join();
        BOOST_TEST(coir::blocking_statistics().completed == 1U);
        blocking_pool other({"other", 1});
        run_blocking(other, [] {});
        BOOST_TEST(coir::blocking_statistics().completed == 1U);
    });
}

BOOST_AUTO_TEST_CASE(its_limit_and_counts_are_its_own) {
    blocking_pool pool({"narrow", 2});
    held_calls calls;
    run([&] {
        std::deque<fiber> callers;
        for (int i = 0; i < 5; ++i) {
            callers.emplace_back([&] { run_blocking(pool, [&] { calls.hold(); }); });
        }
        calls.started.pass();
        calls.started.pass();
        auto counts = pool.statistics();
        BOOST_TEST(counts.threads == 2U);
        BOOST_TEST(counts.running == 2U);
        BOOST_TEST(counts.idle == 0U);
        BOOST_TEST(counts.queued == 3U);
        BOOST_TEST(counts.completed == 0U);
        BOOST_TEST(run_blocking([] { return 1; }) == 1);  // the run's own pool is free
        calls.go.open(5);
        for (fiber& caller : callers) {
            caller.join();
        }
        counts = pool.statistics();
        BOOST_TEST(counts.threads == 2U);
        BOOST_TEST(counts.idle == 2U);
        BOOST_TEST(counts.running == 0U);
        BOOST_TEST(counts.queued == 0U);
        BOOST_TEST(counts.completed == 5U);
        BOOST_TEST(counts.abandoned == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_pool_without_threads_is_refused) {
    BOOST_CHECK_EXCEPTION(blocking_pool({"none", 0}), std::invalid_argument,
                          [](const std::invalid_argument& e) {
                              const std::string text = e.what();
                              return text.find("max_threads") != std::string::npos &&
                                     text.find("'none'") != std::string::npos;
                          });
}

BOOST_AUTO_TEST_CASE(idle_threads_end_after_a_while_and_come_back_on_demand) {
    blocking_pool pool({"short", 4, 1ms});
    int calls = 0;
    for (int round = 1; round <= 2; ++round) {
        run_blocking(pool, [&] { ++calls; });
        while (pool.statistics().threads > 0) {
            std::this_thread::yield();
        }
        BOOST_TEST(calls == round);
    }
    blocking_pool forever({"long", 1, std::chrono::nanoseconds::max()});
    run_blocking(forever, [] {});
    BOOST_TEST(forever.statistics().threads == 1U);
}

BOOST_AUTO_TEST_CASE(a_plain_thread_waits_for_the_pool) {
    blocking_pool pool({"plain"});
    const auto here = std::this_thread::get_id();
    BOOST_TEST((run_blocking(pool, [] { return std::this_thread::get_id(); }) != here));
    BOOST_CHECK_THROW(run_blocking(pool, [] { throw 7; }), int);
}

// With one thread a call in line behind its own caller would wait for ever.
BOOST_AUTO_TEST_CASE(a_call_from_a_thread_of_the_pool_is_made_right_there) {
    blocking_pool pool({"single", 1});
    run([&] {
        BOOST_TEST(run_blocking(pool, [&] { return run_blocking(pool, name_of_this_thread); }) ==
                   "single-1");
        BOOST_TEST(run_blocking(pool, [&] {
                       return run_blocking(pool, coir::abandon_on_cancel, name_of_this_thread);
                   }) == "single-1");
    });
}

BOOST_AUTO_TEST_CASE(a_call_in_line_is_taken_back_when_its_caller_is_cancelled) {
    blocking_pool pool({"single", 1});
    held_calls calls;
    run([&] {
        fiber first([&] { run_blocking(pool, [&] { calls.hold(); }); });
        calls.started.pass();
        bool called = false;
        fiber second([&] { run_blocking(pool, [&] { called = true; }); });
        coir::this_fiber::yield();
        BOOST_TEST(pool.statistics().queued == 1U);
        second.cancel();
        second.join();
        BOOST_TEST(pool.statistics().queued == 0U);
        calls.go.open();
        first.join();
        BOOST_TEST(!called);
        BOOST_TEST(pool.statistics().abandoned == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_cancellation_abandons_the_wait_and_the_thread_comes_back) {
    blocking_pool pool({"single", 1});
    const auto calls = std::make_shared<held_calls>();
    run([&] {
        fiber caller(
            [&] { run_blocking(pool, coir::abandon_on_cancel, [calls] { calls->hold(); }); });
        calls->started.pass();
        caller.cancel();
        caller.join();
        auto counts = pool.statistics();
        BOOST_TEST(counts.abandoned == 1U);
        BOOST_TEST(counts.running == 1U);
        BOOST_TEST(counts.completed == 0U);
        calls->go.open();
        BOOST_TEST(run_blocking(pool, name_of_this_thread) == "single-1");
        counts = pool.statistics();
        BOOST_TEST(counts.completed == 2U);
        BOOST_TEST(counts.abandoned == 1U);
    });
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_a_plain_thread_s_wait_for_a_call_that_may_be_abandoned) {
    blocking_pool pool({"plain", 1});
    const auto calls = std::make_shared<held_calls>();
    BOOST_CHECK_THROW(
        coir::with_timeout(
            1ms, [&] { run_blocking(pool, coir::abandon_on_cancel, [calls] { calls->hold(); }); }),
        coir::timed_out);
    calls->go.open();
}

BOOST_AUTO_TEST_CASE(the_caller_s_inherited_values_are_seen_by_the_call) {
    blocking_pool pool({"heirs", 1});
    const coir::inherited<int> request(-1);
    run([&] {
        const coir::inherited<int>::scope set(request, 5);
        BOOST_TEST(run_blocking(pool, [&] { return *request; }) == 5);
        BOOST_TEST(run_blocking([&] { return *request; }) == 5);
        BOOST_TEST(run_blocking(pool, coir::abandon_on_cancel, [&request] { return *request; }) ==
                   5);
    });
    BOOST_TEST(run_blocking(pool, [&] { return *request; }) == -1);
}

BOOST_AUTO_TEST_CASE(virtual_time_stands_still_during_a_call) {
    blocking_pool pool({"still"});
    coir::run_options options;
    options.clock = coir::clock_kind::virtual_time;
    run(options, [&] {
        gate slept;
        fiber sleeper([&] {
            coir::this_fiber::sleep_for(1h);
            slept.open();
        });
        run_blocking(pool, [] { std::this_thread::yield(); });
        BOOST_TEST(slept.permits() == 0);
        sleeper.join();
    });
}

// Goal: no call is lost and every count comes out right, whoever calls. Method: fibers of two runs,
// one of them with two carriers, and plain threads share a pool that is too small for them.
BOOST_AUTO_TEST_CASE(fibers_of_several_carriers_and_plain_threads_share_a_pool) {
    constexpr int calls_each = 200;
    blocking_pool pool({"shared", 3});
    std::atomic<int> calls{0};
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    const auto call = [&] {
        for (int i = 0; i < calls_each; ++i) {
            run_blocking(pool, [&] {
                const int now = ++running;
                int seen = most;
                while (seen < now && !most.compare_exchange_weak(seen, now)) {
                }
                ++calls;
                --running;
            });
        }
    };
    const auto carriers = [&](std::size_t count) {
        coir::run_options options;
        options.threads = count;
        run(options, [&] {
            std::deque<fiber> fibers;
            for (int i = 0; i < 5; ++i) {
                fibers.emplace_back(call);
            }
            for (fiber& f : fibers) {
                f.join();
            }
        });
    };
    std::thread one(carriers, 1);
    std::thread two(carriers, 2);
    std::thread plain(call);
    one.join();
    two.join();
    plain.join();
    BOOST_TEST(calls == 11 * calls_each);
    BOOST_TEST(most <= 3);
    const auto counts = pool.statistics();
    BOOST_TEST(counts.completed == static_cast<std::uint64_t>(11 * calls_each));
    BOOST_TEST(counts.running == 0U);
    BOOST_TEST(counts.queued == 0U);
    BOOST_TEST(counts.threads <= 3U);
}

BOOST_AUTO_TEST_SUITE_END()
