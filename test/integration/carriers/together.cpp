// SPDX-License-Identifier: BSL-1.0
// Tasks that are awaited together, and timeouts, where the tasks are on several carriers.
#include "support/captured_log.hpp"

#include <coir/async.hpp>
#include <coir/blocking.hpp>
#include <coir/cancellation.hpp>
#include <coir/carrier.hpp>
#include <coir/fiber.hpp>
#include <coir/gather.hpp>
#include <coir/run.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using coir::fiber;
using coir::fiber_options;
using coir::run;
using coir::task_group;
using coir::test::captured_log;
using namespace std::chrono_literals;

namespace {

constexpr int carrier_count = 3;

coir::run_options several() {
    coir::run_options options;
    options.threads = carrier_count;
    return options;
}

fiber_options on(int carrier) { return fiber_options("placed").on(carrier); }

// Waits, as one of `count`, until all are here. With as many as there are carriers, and without a
// fiber's wait, so each is on one of its own.
void meet(std::atomic<int>& arrived, int count) {
    ++arrived;
    while (arrived < count) {
        std::this_thread::yield();
    }
}

// Counts a wait that was cancelled.
void sleep_until_cancelled(std::atomic<int>& cancelled) {
    try {
        coir::this_fiber::sleep_for(1h);
    } catch (const coir::operation_cancelled&) {
        ++cancelled;
        throw;
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tasks_together_on_several_carriers)

BOOST_AUTO_TEST_CASE(gather_gives_the_results_in_the_order_of_the_callables) {
    run(several(), [] {
        for (int round = 0; round < 20; ++round) {
            std::vector<std::function<int()>> tasks;
            for (int i = 0; i < 50; ++i) {
                tasks.emplace_back([i] {
                    if (i % 3 == 0) {
                        coir::this_fiber::yield();
                    }
                    return i;
                });
            }
            std::vector<int> expected(50);
            std::iota(expected.begin(), expected.end(), 0);
            BOOST_TEST(coir::gather(tasks) == expected, boost::test_tools::per_element());
        }
    });
}

BOOST_AUTO_TEST_CASE(gather_runs_its_callables_on_all_carriers_at_once) {
    run(several(), [] {
        std::atomic<int> arrived{0};
        const auto task = [&] {
            meet(arrived, carrier_count);
            return coir::this_carrier::number();
        };
        const auto [a, b, c] = coir::gather(task, task, task);
        BOOST_TEST(std::set<int>({a, b, c}).size() == 3U);
    });
}

BOOST_AUTO_TEST_CASE(gather_throws_what_escapes_on_another_carrier_when_all_have_ended) {
    run(several(), [] {
        for (int round = 0; round < 50; ++round) {
            std::atomic<int> arrived{0};
            std::atomic<int> cancelled{0};
            const auto sleeper = [&] {
                meet(arrived, carrier_count);
                sleep_until_cancelled(cancelled);
            };
            const auto thrower = [&] {
                meet(arrived, carrier_count);
                throw std::range_error("far");
            };
            BOOST_CHECK_THROW(coir::gather(sleeper, thrower, sleeper), std::range_error);
            BOOST_TEST(cancelled == 2);
        }
    });
}

BOOST_AUTO_TEST_CASE(race_cancels_and_awaits_the_losers_on_other_carriers) {
    run(several(), [] {
        for (int round = 0; round < 50; ++round) {
            std::atomic<int> arrived{0};
            std::atomic<int> cancelled{0};
            const auto loser = [&] {
                meet(arrived, carrier_count);
                sleep_until_cancelled(cancelled);
                return 0;
            };
            const auto winner = [&] {
                meet(arrived, carrier_count);
                return 7;
            };
            BOOST_TEST(coir::race(loser, winner, loser) == 7);
            BOOST_TEST(cancelled == 2);
        }
    });
}

BOOST_AUTO_TEST_CASE(as_completed_gives_each_task_once_wherever_it_ran) {
    run(several(), [] {
        for (int round = 0; round < 20; ++round) {
            std::vector<std::function<int()>> tasks;
            for (int i = 0; i < 40; ++i) {
                tasks.emplace_back([i]() -> int {
                    if (i % 4 == 0) {
                        coir::this_fiber::sleep_for(std::chrono::microseconds(i));
                    }
                    if (i == 13) {
                        throw std::range_error("13");
                    }
                    return i;
                });
            }
            std::multiset<int> seen;
            int failures = 0;
            for (auto& each : coir::as_completed(tasks)) {
                try {
                    seen.insert(each.get());
                } catch (const std::range_error&) {
                    ++failures;
                }
            }
            BOOST_TEST(seen.size() == 39U);
            BOOST_TEST((std::set<int>(seen.begin(), seen.end()).size()) == 39U);
            BOOST_TEST(failures == 1);
        }
    });
}

BOOST_AUTO_TEST_CASE(leaving_as_completed_early_cancels_what_is_left_on_all_carriers) {
    run(several(), [] {
        std::atomic<int> arrived{0};
        std::atomic<int> cancelled{0};
        std::vector<std::function<void()>> tasks;
        tasks.emplace_back([&] { meet(arrived, carrier_count); });
        for (int i = 1; i < carrier_count; ++i) {
            tasks.emplace_back([&] {
                meet(arrived, carrier_count);
                sleep_until_cancelled(cancelled);
            });
        }
        for (auto& each : coir::as_completed(tasks)) {
            each.get();
            break;
        }
        BOOST_TEST(cancelled == carrier_count - 1);
    });
}

BOOST_AUTO_TEST_CASE(try_for_and_with_timeout_end_waits_for_tasks_on_other_carriers) {
    run(several(), [] {
        for (int carrier = 0; carrier < carrier_count; ++carrier) {
            std::atomic<int> cancelled{0};
            std::atomic<bool> started{false};
            auto slow = coir::async(on(carrier), [&] {
                started = true;
                sleep_until_cancelled(cancelled);
                return 1;
            });
            while (!started) {
                coir::this_fiber::yield();
            }
            BOOST_TEST(!coir::try_for(1ms, [&] { return slow.get(); }).has_value());
            BOOST_TEST(cancelled == 0);
            slow.cancel();
            const auto in_a_group = [&] {
                task_group group;
                group.spawn(on(carrier), [&] { sleep_until_cancelled(cancelled); });
                group.join();
            };
            BOOST_CHECK_THROW(coir::with_timeout(5ms, in_a_group), coir::timed_out);
            BOOST_TEST(cancelled >= 1);
            BOOST_TEST(coir::with_timeout(1h, [&] {
                           return coir::async(on(carrier), [] { return 5; }).get();
                       }) == 5);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_timeout_inside_a_task_is_its_carriers_own) {
    run(several(), [] {
        task_group group;
        std::atomic<int> timeouts{0};
        for (int i = 0; i < 12; ++i) {
            group.spawn(on(i % carrier_count), [&] {
                try {
                    coir::with_timeout(1ms, [] { coir::this_fiber::sleep_for(1h); });
                } catch (const coir::timed_out&) {
                    ++timeouts;
                }
            });
        }
        group.join();
        BOOST_TEST(timeouts == 12);
    });
}

BOOST_AUTO_TEST_CASE(a_group_that_is_destroyed_ends_its_tasks_on_all_carriers_first) {
    run(several(), [] {
        for (int round = 0; round < 50; ++round) {
            std::atomic<int> ended{0};
            {
                task_group group;
                for (int i = 0; i < 9; ++i) {
                    const auto body = [&] {
                        struct at_end {
                            ~at_end() { ++count; }
                            std::atomic<int>& count;
                        } const guard{ended};
                        coir::this_fiber::sleep_for(1h);
                    };
                    if (i % 2 == 0) {
                        group.spawn(on(i % carrier_count), body);
                    } else {
                        group.spawn(body);
                    }
                }
            }
            BOOST_TEST(ended == 9);
        }
    });
}

BOOST_AUTO_TEST_CASE(what_escapes_a_detached_fiber_is_logged_once_with_its_name) {
    const captured_log log;
    run(several(), [] {
        for (int carrier = 0; carrier < carrier_count; ++carrier) {
            fiber(fiber_options("loud").on(carrier), [] {
                throw std::runtime_error("unheard");
            }).detach();
            fiber(on(carrier), [] {}).join();
        }
    });
    BOOST_TEST(log.messages() == 3U);
    BOOST_TEST(log.has("fiber 'loud' ended by an exception"));
}

BOOST_AUTO_TEST_CASE(blocking_calls_are_made_for_fibers_of_all_carriers) {
    run(several(), [] {
        std::atomic<int> sum{0};
        task_group group;
        for (int i = 0; i < 60; ++i) {
            group.spawn(on(i % carrier_count), [&, i] {
                const auto carrier = std::this_thread::get_id();
                const auto [value, thread] =
                    coir::run_blocking([i] { return std::pair(i, std::this_thread::get_id()); });
                if (thread == carrier || std::this_thread::get_id() != carrier) {
                    throw std::logic_error("a blocking call, or who made it, is on a wrong thread");
                }
                sum += value;
            });
        }
        BOOST_CHECK_NO_THROW(group.join());
        BOOST_TEST(sum == 59 * 60 / 2);
    });
}

BOOST_AUTO_TEST_SUITE_END()
