// SPDX-License-Identifier: BSL-1.0
// Runs with several carrier threads.
#include "core/waiter.hpp"
#include "support/captured_log.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/posix.hpp>
#include <coir/run.hpp>
#include <coir/sync/latch.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using coir::deadline;
using coir::fiber;
using coir::fiber_options;
using coir::run;
using coir::run_options;
using coir::task_group;
using coir::test::captured_log;
using namespace std::chrono_literals;

namespace {

run_options carriers(std::size_t count) {
    run_options options;
    options.threads = count;
    return options;
}

fiber_options on(int carrier) { return fiber_options("placed").on(carrier); }

std::thread::id here() { return std::this_thread::get_id(); }

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(carriers_of_a_run)

// The group's fiber ends normally, on a carrier that knows nothing of the scope around the group.
BOOST_AUTO_TEST_CASE(a_deadline_that_a_c_library_met_on_another_carrier_leads_to_timed_out) {
    run(carriers(2), [] {
        for (const int carrier : {0, 1}) {
            int result = 0;
            BOOST_CHECK_THROW(coir::with_timeout(2ms,
                                                 [&] {
                                                     task_group group;
                                                     group.spawn(on(carrier), [&] {
                                                         result = coir::posix::usleep(60'000'000);
                                                     });
                                                     coir::shield([&] { group.join(); });
                                                 }),
                              coir::timed_out);
            BOOST_TEST(result == -1);
        }
    });
}

BOOST_AUTO_TEST_CASE(each_named_carrier_is_a_thread_of_its_own) {
    std::set<std::thread::id> threads;
    run(carriers(3), [&] {
        for (int carrier = 0; carrier < 3; ++carrier) {
            const auto ask = [&] {
                return coir::async(on(carrier), [] { return here(); }).get();
            };
            const std::thread::id first = ask();
            BOOST_TEST((ask() == first));
            threads.insert(first);
        }
    });
    BOOST_TEST(threads.size() == 3U);
    BOOST_TEST(threads.count(here()) == 1U);
}

BOOST_AUTO_TEST_CASE(a_carrier_that_is_not_there_is_refused_by_number_and_count) {
    run(carriers(2), [] {
        BOOST_CHECK_EXCEPTION(fiber(on(2), [] {}), std::invalid_argument, [](const auto& e) {
            return contains(e.what(), "no carrier 2") && contains(e.what(), "this run has 2");
        });
    });
    run([] { BOOST_CHECK_THROW(fiber(on(-3), [] {}), std::invalid_argument); });
}

// Goal: an idle carrier takes from a loaded one. Method: the main fiber does not wait, so only
// another carrier can run what it has spawned.
BOOST_AUTO_TEST_CASE(an_idle_carrier_starts_what_a_busy_one_has_spawned) {
    run(carriers(2), [] {
        std::atomic<bool> ran{false};
        auto elsewhere = coir::async([&] {
            ran = true;
            return here();
        });
        while (!ran) {
            std::this_thread::yield();
        }
        BOOST_TEST((elsewhere.get() != here()));
    });
}

// The same for several, spawned in a row: each idle carrier gets one.
BOOST_AUTO_TEST_CASE(every_idle_carrier_starts_one_of_those_that_a_busy_one_has_spawned) {
    for (int round = 0; round < 50; ++round) {
        run(carriers(3), [] {
            std::atomic<int> running{0};
            const auto compute = [&] {
                ++running;
                while (running < 2) {
                    std::this_thread::yield();
                }
                return here();
            };
            auto first = coir::async(compute);
            auto second = coir::async(compute);
            while (running < 2) {
                std::this_thread::yield();
            }
            BOOST_TEST((first.get() != second.get()));
        });
    }
}

// Goal: what is ready does not keep out what has not started, however many calls it makes that do
// not wait. Method: every carrier has fibers that yield until one has run that none is idle for.
BOOST_AUTO_TEST_CASE(unstarted_fibers_have_their_turn_beside_busy_ones) {
    for (int calls = 0; calls < 4; ++calls) {
        run(carriers(2), [&] {
            std::atomic<int> busy{0};
            std::atomic<bool> ran{false};
            task_group group;
            for (int i = 0; i < 4; ++i) {
                group.spawn(on(i % 2), [&] {
                    ++busy;
                    while (!ran) {
                        for (int call = 0; call < calls; ++call) {
                            coir::detail::spend_budget();
                        }
                        coir::this_fiber::yield();
                    }
                });
            }
            while (busy < 4) {
                coir::this_fiber::yield();
            }
            group.spawn([&] { ran = true; });
            BOOST_CHECK_NO_THROW(group.join());
        });
    }
}

BOOST_AUTO_TEST_CASE(a_fiber_that_has_started_stays_where_it_is) {
    run(carriers(3), [] {
        task_group group;
        for (int i = 0; i < 200; ++i) {
            group.spawn([] {
                const auto first = here();
                for (int n = 0; n < 20; ++n) {
                    coir::this_fiber::yield();
                    if (here() != first) {
                        throw std::logic_error("it has moved");
                    }
                }
            });
        }
        BOOST_CHECK_NO_THROW(group.join());
    });
}

BOOST_AUTO_TEST_CASE(a_failure_on_another_carrier_cancels_the_siblings_on_all) {
    run(carriers(3), [] {
        std::atomic<int> cancelled{0};
        task_group group;
        for (int carrier = 0; carrier < 3; ++carrier) {
            group.spawn(on(carrier), [&] {
                try {
                    coir::this_fiber::sleep_for(1h);
                } catch (const coir::operation_cancelled&) {
                    ++cancelled;
                    throw;
                }
            });
        }
        group.spawn(on(2), [] {
            coir::this_fiber::sleep_for(1ms);
            throw std::runtime_error("on carrier 2");
        });
        BOOST_CHECK_EXCEPTION(group.join(), std::runtime_error, [](const auto& e) {
            return std::string(e.what()) == "on carrier 2";
        });
        BOOST_TEST(cancelled == 3);
    });
}

BOOST_AUTO_TEST_CASE(a_deadline_reaches_tasks_on_all_carriers) {
    run(carriers(2), [] {
        std::atomic<int> cancelled{0};
        const auto body = [&] {
            task_group group;
            for (int i = 0; i < 8; ++i) {
                group.spawn(on(i % 2), [&] {
                    try {
                        coir::this_fiber::sleep_for(1h);
                    } catch (const coir::operation_cancelled&) {
                        ++cancelled;
                        throw;
                    }
                });
            }
            group.join();
        };
        BOOST_CHECK_THROW(coir::with_timeout(5ms, body), coir::timed_out);
        BOOST_TEST(cancelled == 8);
    });
}

BOOST_AUTO_TEST_CASE(handles_cancel_and_join_across_carriers) {
    run(carriers(2), [] {
        for (int i = 0; i < 50; ++i) {
            fiber sleeper(on(i % 2), [] { coir::this_fiber::sleep_for(1h); });
            fiber canceller(on((i + 1) % 2), [&] { sleeper.cancel(); });
            canceller.join();
            BOOST_CHECK_NO_THROW(sleeper.join());
        }
    });
}

// Goal: of two fibers that join each other, on whatever carriers and in whatever order, exactly one
// is refused, and the other one's join returns. Method: both are let go at once.
BOOST_AUTO_TEST_CASE(one_of_two_that_join_each_other_across_carriers_is_refused) {
    run(carriers(2), [] {
        for (int i = 0; i < 200; ++i) {
            coir::latch go(2);
            coir::latch over(2);
            std::atomic<int> refused{0};
            fiber a;
            fiber b;
            const auto joining = [&](fiber& other) {
                go.arrive_and_wait();
                try {
                    other.join();
                } catch (const std::system_error& e) {
                    refused += e.code() == std::errc::resource_deadlock_would_occur ? 1 : 0;
                }
                over.count_down();
            };
            a = fiber(on(0), joining, std::ref(b));
            b = fiber(on(1), joining, std::ref(a));
            over.wait();
            BOOST_TEST(refused == 1);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_fiber_may_be_cancelled_before_anybody_has_started_it) {
    run(carriers(2), [] {
        for (int i = 0; i < 200; ++i) {
            std::atomic<bool> waited_in_vain{false};
            fiber f([&] {
                try {
                    coir::this_fiber::check_cancelled();
                    coir::this_fiber::sleep_for(1h);
                } catch (const coir::operation_cancelled&) {
                    waited_in_vain = true;
                    throw;
                }
            });
            f.cancel();
            f.join();
            BOOST_TEST(waited_in_vain);
        }
    });
}

// Tasks spawn into the group that they are in, from whichever carrier they are on.
BOOST_AUTO_TEST_CASE(a_group_takes_tasks_from_every_carrier) {
    std::atomic<int> ran{0};
    run(carriers(3), [&] {
        task_group group;
        for (int carrier = 0; carrier < 3; ++carrier) {
            group.spawn(on(carrier), [&] {
                for (int i = 0; i < 50; ++i) {
                    group.spawn([&] { ++ran; });
                    group.spawn(on(i % 3), [&] { ++ran; });
                    group.spawn(fiber_options().on(fiber_options::this_carrier),
                                [&, from = here()] { ran += here() == from ? 1 : 1000; });
                }
            });
        }
        group.join();
        BOOST_TEST(group.size() == 0U);
    });
    BOOST_TEST(ran == 450);
}

BOOST_AUTO_TEST_CASE(a_group_is_cancelled_from_another_carrier) {
    run(carriers(2), [] {
        for (int i = 0; i < 50; ++i) {
            task_group group;
            group.spawn(on(0), [] { coir::this_fiber::sleep_for(1h); });
            fiber canceller(on(1), [&] { group.cancel(); });
            BOOST_CHECK_NO_THROW(group.join());
            canceller.join();
        }
    });
}

BOOST_AUTO_TEST_CASE(what_runs_on_any_carrier_when_the_main_fiber_ends_is_cancelled_and_awaited) {
    std::atomic<int> started{0};
    std::atomic<int> ended{0};
    run(carriers(3), [&] {
        for (int i = 0; i < 30; ++i) {
            fiber(on(i % 3), [&] {
                ++started;
                struct at_end {
                    ~at_end() {
                        coir::shield([] { coir::this_fiber::sleep_for(1ms); });
                        ++count;
                    }
                    std::atomic<int>& count;
                } const guard{ended};
                fiber child(on(static_cast<int>(started) % 3),
                            [] { coir::this_fiber::sleep_for(1h); });
                coir::this_fiber::sleep_for(1h);
            }).detach();
        }
        while (started < 30) {
            coir::this_fiber::yield();
        }
    });
    BOOST_TEST(ended == 30);
}

// Cleanup that spawns on carriers that have nothing left to do keeps all of them.
BOOST_AUTO_TEST_CASE(fibers_spawned_elsewhere_while_all_ends_are_awaited) {
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> ended{0};
        run(carriers(3), [&] {
            fiber(on(1), [&] {
                try {
                    coir::this_fiber::sleep_for(1h);
                } catch (const coir::operation_cancelled&) {
                    fiber(on(2), [&] {
                        fiber(on(1), [&] {
                            fiber(on(0), [&] { ++ended; }).detach();
                            ++ended;
                        }).detach();
                        ++ended;
                    }).detach();
                    throw;
                }
            }).detach();
            fiber(on(1), [] {}).join();  // the one before has started
        });
        BOOST_TEST(ended == 3);
    }
}

BOOST_AUTO_TEST_CASE(a_deadlock_across_carriers_is_reported_with_the_fibers_of_all) {
    const captured_log log;
    const auto wait_for_nobody = [] {
        coir::wait_queue queue;
        if (queue.park(deadline::never(), {"what never comes"}) == coir::wait_status::cancelled) {
            throw coir::operation_cancelled();
        }
    };
    for (int round = 0; round < 20; ++round) {
        try {
            run(carriers(2), [&] {
                task_group group;
                group.spawn(fiber_options("first").on(0), wait_for_nobody);
                group.spawn(fiber_options("second").on(1), wait_for_nobody);
                group.join();
            });
            BOOST_FAIL("there was no deadlock");
        } catch (const coir::deadlock_error& e) {
            BOOST_TEST(contains(e.what(), "on carrier 0:\n  'main'"));
            BOOST_TEST(contains(e.what(), "on carrier 1:\n"));
            BOOST_TEST(contains(e.what(), "'first' spawned at "));
            BOOST_TEST(contains(e.what(), "'second' spawned at "));
            BOOST_TEST(contains(e.what(), "waits for what never comes"));
            BOOST_TEST(contains(e.what(), "waits for the end of a task group"));
        }
    }
}

BOOST_AUTO_TEST_CASE(many_runs_of_many_carriers_begin_and_end) {
    std::atomic<int> ran{0};
    for (int i = 0; i < 50; ++i) {
        run(carriers(4), [&] { coir::async([&] { ++ran; }).get(); });
    }
    BOOST_TEST(ran == 50);
}

BOOST_AUTO_TEST_CASE(results_and_exceptions_come_from_other_carriers) {
    run(carriers(2), [] {
        for (int i = 0; i < 100; ++i) {
            BOOST_TEST(coir::async(on(1), [i] { return i; }).get() == i);
            BOOST_CHECK_THROW(
                coir::async(on(1), []() -> int { throw std::range_error("far"); }).get(),
                std::range_error);
        }
    });
}

const std::size_t bad_counts[] = {0, 1025, 10'000};

BOOST_DATA_TEST_CASE(a_count_of_threads_out_of_range_is_refused_with_value_limits_and_knob,
                     bad_counts, count) {
    BOOST_CHECK_EXCEPTION(run(carriers(count), [] {}), std::invalid_argument, [&](const auto& e) {
        return contains(e.what(), "run_options::threads is " + std::to_string(count)) &&
               contains(e.what(), "1024");
    });
}

BOOST_AUTO_TEST_CASE(virtual_time_is_for_one_thread) {
    run_options options = carriers(2);
    options.clock = coir::clock_kind::virtual_time;
    BOOST_CHECK_THROW(run(options, [] {}), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
