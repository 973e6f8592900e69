// SPDX-License-Identifier: BSL-1.0
#include <coir/run.hpp>

#include "core/waiter.hpp"
#include "reactor/wait_io.hpp"
#include "support/captured_log.hpp"
#include "support/descriptors.hpp"
#include "support/watched_thread.hpp"

#include <coir/blocking.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using coir::deadline;
using coir::fiber;
using coir::run;
using coir::test::pipe_ends;
using coir::test::put_from_thread;
using coir::test::watched_thread;
using namespace std::chrono_literals;

namespace {

coir::run_options on_virtual_time() {
    coir::run_options options;
    options.clock = coir::clock_kind::virtual_time;
    return options;
}

// What a libc-shaped call does: it fails with ETIMEDOUT or ECANCELED, and returns normally.
int blocking_call_of_a_c_library() {
    coir::detail::waiter w(false);
    if (coir::detail::park(w, deadline::after(24h), {"a C library"}, coir::cancellable::yes) ==
        coir::wait_status::cancelled) {
        return coir::detail::cancellation_errno();
    }
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(run_call)

BOOST_AUTO_TEST_CASE(it_returns_what_the_main_fiber_returns) {
    run([] {});
    BOOST_TEST(run([] { return 7; }) == 7);
    BOOST_TEST(*run([] { return std::make_unique<int>(3); }) == 3);
    int variable = 0;
    BOOST_TEST(&run([&]() -> int& { return variable; }) == &variable);
}

BOOST_AUTO_TEST_CASE(an_exception_of_the_main_fiber_comes_out) {
    BOOST_CHECK_THROW(run([] { throw std::runtime_error("out"); }), std::runtime_error);
    BOOST_CHECK_THROW(run([] { throw 7; }), int);
    BOOST_TEST(run([] { return 1; }) == 1);
}

BOOST_AUTO_TEST_CASE(run_inside_run_is_refused_and_the_outer_one_goes_on) {
    run([] {
        const auto not_permitted = [](const std::system_error& e) {
            return e.code() == std::errc::operation_not_permitted;
        };
        BOOST_CHECK_EXCEPTION(run([] {}), std::system_error, not_permitted);
        fiber f([&] { BOOST_CHECK_EXCEPTION(run([] {}), std::system_error, not_permitted); });
        f.join();
        coir::this_fiber::sleep_for(1us);
    });
}

BOOST_AUTO_TEST_CASE(runs_follow_each_other_on_one_thread) {
    int fibers = 0;
    for (int i = 0; i < 5; ++i) {
        run([&] {
            fiber f([&] {
                coir::this_fiber::sleep_for(1us);
                ++fibers;
            });
            f.join();
        });
    }
    BOOST_TEST(fibers == 5);
}

BOOST_AUTO_TEST_CASE(several_threads_run_at_once) {
    std::atomic<int> fibers{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            run([&] {
                std::vector<fiber> many;
                for (int k = 0; k < 50; ++k) {
                    many.emplace_back([&] {
                        coir::this_fiber::sleep_for(100us);
                        ++fibers;
                    });
                }
                for (fiber& f : many) {
                    f.join();
                }
            });
        });
    }
    for (std::thread& t : threads) {
        t.join();
    }
    BOOST_TEST(fibers == 200);
}

BOOST_AUTO_TEST_CASE(a_thread_started_inside_may_run_fibers_of_its_own) {
    int result = 0;
    run([&] { coir::run_blocking([&] { result = run([] { return 7; }); }); });
    BOOST_TEST(result == 7);
}

BOOST_AUTO_TEST_CASE(nothing_outlives_it) {
    bool ended = false;
    run([&] {
        fiber([&] {
            try {
                coir::this_fiber::sleep_for(1h);
            } catch (const coir::operation_cancelled&) {
                ended = true;
                throw;
            }
        }).detach();
        coir::this_fiber::yield();
    });
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(a_fiber_that_waits_for_a_descriptor_is_cancelled_at_the_end) {
    const pipe_ends pipe;
    bool cancelled = false;
    run([&] {
        fiber([&] {
            const auto result =
                coir::detail::wait_io({pipe.read.get(), coir::detail::direction::read,
                                       coir::detail::descriptor_kind::foreign},
                                      deadline::never());
            cancelled = result.status == coir::wait_status::cancelled;
        }).detach();
        coir::this_fiber::yield();
    });
    BOOST_TEST(cancelled);
}

BOOST_AUTO_TEST_CASE(a_deadline_around_it_reaches_in) {
    const auto before = std::chrono::steady_clock::now();
    bool cleaned_up = false;
    BOOST_CHECK_THROW(coir::with_timeout(5ms,
                                         [&] {
                                             run([&] {
                                                 try {
                                                     coir::this_fiber::sleep_for(1h);
                                                 } catch (const coir::operation_cancelled&) {
                                                     cleaned_up = true;
                                                     throw;
                                                 }
                                             });
                                         }),
                      coir::timed_out);
    BOOST_TEST(cleaned_up);
    BOOST_TEST((std::chrono::steady_clock::now() - before >= 5ms));
    BOOST_TEST(!coir::try_for(-1ms, [] { run([] { coir::this_fiber::yield(); }); }));
    BOOST_TEST(coir::try_for(1h, [] { run([] { coir::this_fiber::sleep_for(1ms); }); }));
}

BOOST_AUTO_TEST_CASE(a_deadline_around_it_that_a_c_library_met_inside_leads_to_timed_out) {
    BOOST_CHECK_THROW(coir::with_timeout(2ms, [] { return run(blocking_call_of_a_c_library); }),
                      coir::timed_out);
    BOOST_CHECK_THROW(coir::with_timeout(-1ms, [] { return run(blocking_call_of_a_c_library); }),
                      coir::timed_out);
    BOOST_CHECK_THROW(
        coir::with_timeout(1h, [] { return run(on_virtual_time(), blocking_call_of_a_c_library); }),
        coir::timed_out);
}

BOOST_AUTO_TEST_CASE(a_deadline_met_inside_is_told_to_the_scope_around_it_whose_it_was) {
    bool inner_returned = false;
    BOOST_TEST(!coir::try_for(2ms, [&] {
        inner_returned = coir::try_for(1h, [] { run(blocking_call_of_a_c_library); });
    }));
    BOOST_TEST(inner_returned);
}

BOOST_AUTO_TEST_CASE(a_deadline_around_it_that_a_c_library_met_on_another_carrier_counts_as_well) {
    coir::run_options options;
    options.threads = 2;
    BOOST_TEST(!coir::try_for(2ms, [&] {
        run(options, [] {
            fiber f(coir::fiber_options("elsewhere").on(1), [] { blocking_call_of_a_c_library(); });
            coir::shield([&] { f.join(); });
        });
    }));
}

// The main fiber had ended in time: that others were stopped after it is no timeout.
BOOST_AUTO_TEST_CASE(a_c_library_that_the_end_of_the_run_stopped_is_no_timeout) {
    int error = 0;
    BOOST_TEST(coir::try_for(1h, [&] {
        run([&] {
            fiber([&] { error = blocking_call_of_a_c_library(); }).detach();
            coir::this_fiber::yield();
        });
    }));
    BOOST_TEST(error == ECANCELED);
}

BOOST_AUTO_TEST_CASE(a_cancelled_scope_around_it_reaches_in) {
    coir::cancel_scope scope;
    scope.cancel();
    bool waited = false;
    BOOST_TEST(!scope.run([&] {
        run([&] {
            coir::this_fiber::yield();
            waited = true;
        });
    }));
    BOOST_TEST(!waited);
}

BOOST_AUTO_TEST_CASE(a_deadlock_is_thrown_with_its_report) {
    const coir::test::captured_log log;
    BOOST_CHECK_EXCEPTION(run([] {
                              coir::wait_queue queue;
                              fiber stuck({"stuck"}, [&] { queue.park(); });
                              stuck.join();
                          }),
                          coir::deadlock_error, [](const coir::deadlock_error& e) {
                              const std::string text = e.what();
                              return text.find("'stuck' spawned at") != std::string::npos &&
                                     text.find("run.cpp:") != std::string::npos &&
                                     text.find("wait queue since") != std::string::npos;
                          });
    BOOST_TEST(run([] { return 1; }) == 1);
}

BOOST_AUTO_TEST_CASE(waiting_for_a_blocking_call_or_a_descriptor_is_no_deadlock) {
    const pipe_ends pipe;
    run([&] {
        coir::wait_queue queue;
        fiber waiting([&] { queue.park(); });
        const watched_thread carrier;
        coir::run_blocking([&] { carrier.await_asleep(); });
        std::thread writer([&] {
            carrier.await_asleep();
            put_from_thread(pipe.write);
        });
        BOOST_TEST(coir::detail::wait_io({pipe.read.get(), coir::detail::direction::read,
                                          coir::detail::descriptor_kind::foreign},
                                         deadline::never())
                       .ready());
        writer.join();
        queue.unpark_one();
        waiting.join();
    });
}

BOOST_AUTO_TEST_CASE(sleeps_are_never_early_on_the_steady_clock) {
    run([] {
        for (const auto time : {1us, 100us, 1000us, 2500us}) {
            const auto before = std::chrono::steady_clock::now();
            coir::this_fiber::sleep_for(time);
            BOOST_TEST((std::chrono::steady_clock::now() - before >= time));
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
