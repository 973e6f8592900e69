// SPDX-License-Identifier: BSL-1.0
#include "runtime/blocking_pool.hpp"

#include "support/gate.hpp"

#include <coir/blocking.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <pthread.h>
#include <signal.h>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

using coir::fiber;
using coir::run;
using coir::run_blocking;
using coir::run_options;
using coir::detail::current_blocking_pool;
using coir::test::gate;

namespace {

run_options with_threads(std::size_t threads) {
    run_options options;
    options.blocking_threads = threads;
    return options;
}

std::size_t threads_of_the_run() { return current_blocking_pool()->statistics().threads; }

}  // namespace

BOOST_AUTO_TEST_SUITE(blocking_calls)

BOOST_AUTO_TEST_CASE(a_call_runs_on_another_thread_and_returns_its_result) {
    run([] {
        const auto here = std::this_thread::get_id();
        BOOST_TEST((run_blocking([] { return std::this_thread::get_id(); }) != here));
        BOOST_TEST(run_blocking([](int a, int b) { return a + b; }, 3, 4) == 7);
        BOOST_TEST(*run_blocking([] { return std::make_unique<int>(3); }) == 3);
        int variable = 0;
        BOOST_TEST(&run_blocking([&]() -> int& { return variable; }) == &variable);
        run_blocking([&] { variable = 5; });
        BOOST_TEST(variable == 5);
        BOOST_TEST(coir::to_thread([](int a, int b) { return a - b; }, 7, 4) == 3);
    });
}

BOOST_AUTO_TEST_CASE(other_fibers_run_meanwhile) {
    run([] {
        std::atomic<bool> ran{false};
        fiber other([&] { ran = true; });
        run_blocking([&] {
            while (!ran) {
                std::this_thread::yield();
            }
        });
        other.join();
    });
}

BOOST_AUTO_TEST_CASE(an_exception_comes_back) {
    run([] {
        BOOST_CHECK_EXCEPTION(
            run_blocking([] { throw std::runtime_error("inside"); }), std::runtime_error,
            [](const std::runtime_error& e) { return e.what() == std::string("inside"); });
        BOOST_CHECK_THROW(run_blocking(coir::abandon_on_cancel, [] { throw 7; }), int);
        BOOST_TEST(run_blocking([] { return 1; }) == 1);
    });
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_it_calls_right_there) {
    const auto here = std::this_thread::get_id();
    BOOST_TEST((run_blocking([] { return std::this_thread::get_id(); }) == here));
    BOOST_TEST(
        (run_blocking(coir::abandon_on_cancel, [] { return std::this_thread::get_id(); }) == here));
}

BOOST_AUTO_TEST_CASE(threads_are_started_on_demand_and_used_again) {
    run([] {
        BOOST_TEST(threads_of_the_run() == 0U);
        for (int i = 0; i < 20; ++i) {
            run_blocking([] {});  // who has called finds the thread idle
        }
        BOOST_TEST(threads_of_the_run() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(calls_that_come_at_once_get_a_thread_each_up_to_the_limit_and_queue_beyond) {
    run(with_threads(3), [] {
        gate started;
        gate go;
        std::atomic<int> ended{0};
        std::deque<fiber> fibers;
        for (int i = 0; i < 10; ++i) {
            fibers.emplace_back([&] {
                run_blocking([&] {
                    started.open();
                    go.pass();
                });
                ++ended;
            });
        }
        for (int i = 0; i < 3; ++i) {
            started.pass();
        }
        BOOST_TEST(threads_of_the_run() == 3U);
        BOOST_TEST(current_blocking_pool()->statistics().running == 3U);
        BOOST_TEST(current_blocking_pool()->statistics().queued == 7U);
        BOOST_TEST(started.permits() == 0);
        BOOST_TEST(ended == 0);
        go.open(10);
        for (fiber& f : fibers) {
            f.join();
        }
        BOOST_TEST(ended == 10);
        BOOST_TEST(threads_of_the_run() <= 3U);
        BOOST_TEST(current_blocking_pool()->statistics().completed == 10U);
        BOOST_TEST(current_blocking_pool()->statistics().running == 0U);
    });
}

BOOST_AUTO_TEST_CASE(queued_calls_run_in_the_order_in_which_they_came) {
    run(with_threads(1), [] {
        std::mutex mutex;
        std::string trace;
        std::deque<fiber> fibers;
        for (char name = 'a'; name < 'i'; ++name) {
            fibers.emplace_back([&, name] {
                run_blocking([&] {
                    const std::lock_guard lock(mutex);
                    trace += name;
                });
            });
        }
        for (fiber& f : fibers) {
            f.join();
        }
        BOOST_TEST(trace == "abcdefgh");
    });
}

BOOST_AUTO_TEST_CASE(its_threads_block_all_signals) {
    run([] {
        sigset_t before;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
        const sigset_t there = run_blocking([] {
            sigset_t mask;
            ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
            return mask;
        });
        sigset_t after;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
        for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGPIPE, SIGALRM}) {
            BOOST_TEST(::sigismember(&there, number) == 1);
            BOOST_TEST(::sigismember(&before, number) == ::sigismember(&after, number));
        }
    });
}

// Goal: no call is lost between a thread that becomes idle and a caller that finds it so.
BOOST_AUTO_TEST_CASE(many_calls_of_many_fibers_all_come_back) {
    run(with_threads(4), [] {
        std::atomic<int> calls{0};
        std::deque<fiber> fibers;
        for (int i = 0; i < 20; ++i) {
            fibers.emplace_back([&] {
                for (int k = 0; k < 100; ++k) {
                    run_blocking([&] { ++calls; });
                }
            });
        }
        for (fiber& f : fibers) {
            f.join();
        }
        BOOST_TEST(calls == 2000);
    });
}

#ifdef __GLIBC__
// While it lives, new threads want stacks for which there is no room.
class no_new_threads {
public:
    no_new_threads() {
        ::pthread_getattr_default_np(&before_);
        pthread_attr_t huge;
        ::pthread_attr_init(&huge);
        ::pthread_attr_setstacksize(&huge, std::size_t{1} << 47);
        ::pthread_setattr_default_np(&huge);
        ::pthread_attr_destroy(&huge);
    }
    no_new_threads(const no_new_threads&) = delete;
    no_new_threads& operator=(const no_new_threads&) = delete;
    ~no_new_threads() {
        ::pthread_setattr_default_np(&before_);
        ::pthread_attr_destroy(&before_);
    }

private:
    pthread_attr_t before_;
};

BOOST_AUTO_TEST_CASE(a_thread_that_cannot_be_started_is_an_error_that_names_the_limits) {
    run([] {
        {
            const no_new_threads guard;
            BOOST_CHECK_EXCEPTION(
                run_blocking([] {}), std::system_error, [](const std::system_error& e) {
                    const std::string text = e.what();
                    return e.code() == std::errc::resource_unavailable_try_again &&
                           text.find("ulimit -u") != std::string::npos &&
                           text.find("run_options::blocking_threads") != std::string::npos;
                });
        }
        BOOST_TEST(threads_of_the_run() == 0U);
        BOOST_TEST(run_blocking([] { return 7; }) == 7);
    });
}

BOOST_AUTO_TEST_CASE(where_no_more_threads_can_be_started_those_that_run_do_the_work) {
    run([] {
        run_blocking([] {});
        const no_new_threads guard;
        std::deque<fiber> fibers;
        std::atomic<int> calls{0};
        for (int i = 0; i < 5; ++i) {
            fibers.emplace_back([&] { run_blocking([&] { ++calls; }); });
        }
        for (fiber& f : fibers) {
            f.join();
        }
        BOOST_TEST(calls == 5);
        BOOST_TEST(threads_of_the_run() == 1U);
    });
}
#endif

BOOST_AUTO_TEST_SUITE_END()
