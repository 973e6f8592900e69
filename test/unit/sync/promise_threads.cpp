// SPDX-License-Identifier: BSL-1.0
// Promises and futures between threads.
#include "support/fiber_test.hpp"

#include <coir/async.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <thread>
#include <utility>
#include <vector>

using coir::future;
using coir::promise;
using coir::test::run_in_fiber_world;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(promises_between_threads)

FIBER_TEST_CASE(a_thread_resumes_a_fiber) {
    promise<int> p;
    auto f = p.get_future();
    std::promise<void> fiber_waits;
    std::thread setter([&] {
        fiber_waits.get_future().wait();
        p.set_value(7);
    });
    // It runs when the main fiber has parked.
    coir::fiber starter([&] { fiber_waits.set_value(); });
    BOOST_TEST(f.get() == 7);
    setter.join();
}

BOOST_AUTO_TEST_CASE(a_fiber_resumes_a_thread) {
    promise<int> p;
    auto f = p.get_future();
    std::thread carrier([&] { run_in_fiber_world([&] { p.set_value(7); }); });
    BOOST_TEST(f.get() == 7);
    carrier.join();
}

BOOST_AUTO_TEST_CASE(a_thread_gets_the_result_of_a_task) {
    promise<future<int>> handed_over;
    auto receiver = handed_over.get_future();
    std::atomic<bool> fetched{false};
    std::thread carrier([&] {
        run_in_fiber_world([&] {
            handed_over.set_value(coir::async([] { return 7; }));
            while (!fetched) {
                coir::this_fiber::sleep_for(1us);
            }
        });
    });
    BOOST_TEST(receiver.get().get() == 7);
    fetched = true;
    carrier.join();
}

BOOST_AUTO_TEST_CASE(a_thread_cancels_a_task) {
    promise<future<void>> handed_over;
    auto receiver = handed_over.get_future();
    std::atomic<bool> fetched{false};
    std::thread carrier([&] {
        run_in_fiber_world([&] {
            handed_over.set_value(coir::async([] {
                for (;;) {
                    coir::this_fiber::sleep_for(1us);
                }
            }));
            while (!fetched) {
                coir::this_fiber::sleep_for(1us);
            }
        });
    });
    auto task = receiver.get();
    task.cancel();
    BOOST_CHECK_THROW(task.get(), coir::task_cancelled);
    task = {};
    fetched = true;
    carrier.join();
}

// Goal: publishing races with waiting, with deadlines and with the future's end, and nothing is
// lost.
FIBER_TEST_CASE(many_promises_are_kept_by_threads_while_fibers_wait) {
    constexpr int threads = 3;
    constexpr int each = 2000;
    std::vector<std::deque<promise<int>>> promises(threads);
    std::deque<future<int>> futures;
    for (auto& of_one : promises) {
        for (int i = 0; i < each; ++i) {
            of_one.emplace_back();
            futures.push_back(of_one.back().get_future());
        }
    }
    std::vector<std::thread> setters;
    for (auto& of_one : promises) {
        setters.emplace_back([&] {
            int value = 0;
            for (auto& p : of_one) {
                if (++value % 5 == 0) {
                    const promise<int> broken(std::move(p));
                } else {
                    p.set_value(value);
                }
            }
        });
    }
    int kept = 0;
    int broken = 0;
    int dropped = 0;
    std::deque<coir::fiber> waiters;
    for (std::size_t first = 0; first < 4; ++first) {
        waiters.emplace_back([&, first] {
            for (std::size_t i = first; i < futures.size(); i += 4) {
                if (i % 7 == 0 && futures[i].wait_for(1us) == std::future_status::timeout) {
                    futures[i] = {};
                    ++dropped;
                    continue;
                }
                try {
                    futures[i].get();
                    ++kept;
                } catch (const std::future_error&) {
                    ++broken;
                }
            }
        });
    }
    for (auto& waiter : waiters) {
        waiter.join();
    }
    for (auto& setter : setters) {
        setter.join();
    }
    BOOST_TEST(kept + broken + dropped == threads * each);
    BOOST_TEST(kept > 0);
    BOOST_TEST(broken > 0);
}

BOOST_AUTO_TEST_SUITE_END()
