// SPDX-License-Identifier: BSL-1.0
#include <coir/blocking.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

using coir::fiber;
using coir::operation_cancelled;
using coir::run;
using coir::run_blocking;
using namespace std::chrono_literals;

namespace {

// State that may outlive the run.
struct shared_flags {
    std::atomic<bool> started{false};
    std::atomic<bool> go{false};
    std::atomic<bool> ended{false};

    void wait() {
        started = true;
        while (!go) {
            std::this_thread::sleep_for(50us);
        }
        ended = true;
    }
};

void sleep_until(const std::atomic<bool>& flag) {
    while (!flag) {
        coir::this_fiber::sleep_for(100us);
    }
}

void block_until(const std::atomic<bool>& flag) {
    while (!flag) {
        std::this_thread::sleep_for(100us);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(blocking_calls_and_cancellation)

BOOST_AUTO_TEST_CASE(a_cancelled_caller_does_not_call) {
    run([] {
        coir::cancel_scope scope;
        scope.cancel();
        bool called = false;
        BOOST_TEST(!scope.run([&] { run_blocking([&] { called = true; }); }));
        BOOST_TEST(
            !scope.run([&] { run_blocking(coir::abandon_on_cancel, [&] { called = true; }); }));
        BOOST_TEST(!called);
    });
}

BOOST_AUTO_TEST_CASE(a_call_in_line_is_taken_back) {
    coir::run_options options;
    options.blocking_threads = 1;
    run(options, [] {
        shared_flags flags;
        std::atomic<bool> second_called{false};
        fiber first([&] { run_blocking([&] { flags.wait(); }); });
        sleep_until(flags.started);
        bool cancelled = false;
        fiber second([&] {
            try {
                run_blocking([&] { second_called = true; });
            } catch (const operation_cancelled&) {
                cancelled = true;
                throw;
            }
        });
        coir::this_fiber::yield();
        second.cancel();
        second.join();
        BOOST_TEST(cancelled);
        flags.go = true;
        first.join();
        run_blocking([] {});
        BOOST_TEST(!second_called);
    });
}

BOOST_AUTO_TEST_CASE(a_call_that_runs_is_awaited_and_its_result_returned) {
    run([] {
        shared_flags flags;
        int result = 0;
        bool waited_again = false;
        fiber caller([&] {
            result = run_blocking([&] {
                flags.wait();
                return 7;
            });
            coir::this_fiber::yield();  // throws
            waited_again = true;
        });
        sleep_until(flags.started);
        caller.cancel();
        coir::this_fiber::sleep_for(1ms);
        BOOST_TEST(result == 0);
        flags.go = true;
        caller.join();
        BOOST_TEST(result == 7);
        BOOST_TEST(!waited_again);
    });
}

BOOST_AUTO_TEST_CASE(an_abandoned_call_is_left_behind_and_outlives_the_run) {
    const auto flags = std::make_shared<shared_flags>();
    run([&] {
        bool cancelled = false;
        fiber caller([&] {
            try {
                run_blocking(coir::abandon_on_cancel, [flags] { flags->wait(); });
            } catch (const operation_cancelled&) {
                cancelled = true;
                throw;
            }
        });
        sleep_until(flags->started);
        caller.cancel();
        caller.join();
        BOOST_TEST(cancelled);
        BOOST_TEST(!flags->ended);
    });
    BOOST_TEST(!flags->ended);
    flags->go = true;
    block_until(flags->ended);
}

BOOST_AUTO_TEST_CASE(the_exception_of_an_abandoned_call_is_dropped) {
    const auto flags = std::make_shared<shared_flags>();
    run([&] {
        fiber caller([&] {
            run_blocking(coir::abandon_on_cancel, [flags] {
                flags->wait();
                throw std::runtime_error("nobody hears it");
            });
        });
        sleep_until(flags->started);
        caller.cancel();
        caller.join();
        flags->go = true;
        sleep_until(flags->ended);
    });
}

BOOST_AUTO_TEST_CASE(the_end_of_the_main_fiber_awaits_running_calls) {
    shared_flags flags;
    run([&] {
        fiber([&] { run_blocking([&] { flags.wait(); }); }).detach();
        sleep_until(flags.started);
        std::thread([&] {
            std::this_thread::sleep_for(2ms);
            flags.go = true;
        }).detach();
    });
    BOOST_TEST(flags.ended);
}

BOOST_AUTO_TEST_SUITE_END()
