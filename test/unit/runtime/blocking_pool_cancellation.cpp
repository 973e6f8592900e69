// SPDX-License-Identifier: BSL-1.0
#include "support/gate.hpp"
#include "support/watched_thread.hpp"

#include <coir/blocking.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

using coir::fiber;
using coir::operation_cancelled;
using coir::run;
using coir::run_blocking;
using coir::test::gate;

namespace {

// A blocking call that the test holds. It may outlive the run.
struct held_call {
    void wait() {
        started.open();
        go.pass();
        has_ended = true;
        ended.open();
    }
    gate started;
    gate go;
    gate ended;
    std::atomic<bool> has_ended{false};
};

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
        held_call call;
        std::atomic<bool> second_called{false};
        fiber first([&] { run_blocking([&] { call.wait(); }); });
        call.started.pass();
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
        call.go.open();
        first.join();
        run_blocking([] {});
        BOOST_TEST(!second_called);
    });
}

BOOST_AUTO_TEST_CASE(a_call_that_runs_is_awaited_and_its_result_returned) {
    run([] {
        held_call call;
        int result = 0;
        bool waited_again = false;
        fiber caller([&] {
            result = run_blocking([&] {
                call.wait();
                return 7;
            });
            coir::this_fiber::yield();  // throws
            waited_again = true;
        });
        call.started.pass();
        caller.cancel();
        coir::this_fiber::yield();
        BOOST_TEST(result == 0);
        call.go.open();
        caller.join();
        BOOST_TEST(result == 7);
        BOOST_TEST(!waited_again);
    });
}

BOOST_AUTO_TEST_CASE(an_abandoned_call_is_left_behind_and_outlives_the_run) {
    const auto call = std::make_shared<held_call>();
    run([&] {
        bool cancelled = false;
        fiber caller([&] {
            try {
                run_blocking(coir::abandon_on_cancel, [call] { call->wait(); });
            } catch (const operation_cancelled&) {
                cancelled = true;
                throw;
            }
        });
        call->started.pass();
        caller.cancel();
        caller.join();
        BOOST_TEST(cancelled);
        BOOST_TEST(!call->has_ended);
    });
    BOOST_TEST(!call->has_ended);
    call->go.open();
    call->ended.pass();
}

BOOST_AUTO_TEST_CASE(the_exception_of_an_abandoned_call_is_dropped) {
    const auto call = std::make_shared<held_call>();
    run([&] {
        fiber caller([&] {
            run_blocking(coir::abandon_on_cancel, [call] {
                call->wait();
                throw std::runtime_error("nobody hears it");
            });
        });
        call->started.pass();
        caller.cancel();
        caller.join();
        call->go.open();
        call->ended.pass();
    });
}

BOOST_AUTO_TEST_CASE(the_end_of_the_main_fiber_awaits_running_calls) {
    held_call call;
    const coir::test::watched_thread carrier;
    std::thread release;
    run([&] {
        fiber([&] { run_blocking([&] { call.wait(); }); }).detach();
        call.started.pass();
        release = std::thread([&] {
            carrier.await_asleep();
            call.go.open();
        });
    });
    BOOST_TEST(call.has_ended);
    release.join();
}

BOOST_AUTO_TEST_SUITE_END()
