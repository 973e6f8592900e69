// SPDX-License-Identifier: BSL-1.0
// Deadlocks that can be told only where no other thread could end a wait: this program starts none.
#include "support/captured_log.hpp"
#include "support/kept_signals.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>
#include <coir/detail/single_threaded.hpp>
#include <coir/fiber.hpp>
#include <coir/posix.hpp>
#include <coir/run.hpp>
#include <coir/signal_safe_event.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>
#include <array>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>

using namespace std::chrono_literals;

namespace {

// Sanitizers may start a thread of their own.
boost::test_tools::assertion_result process_has_one_thread(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result result(coir::detail::single_threaded());
    result.message() << "the process has several threads";
    return result;
}

std::string report_of_deadlock(const std::function<void()>& body) {
    const coir::test::captured_log log;
    // One that is not seen is a wait for ever, and any timer of coir's would make it none.
    ::alarm(20);
    std::string report = "there was none";
    try {
        coir::run(body);
    } catch (const coir::deadlock_error& error) {
        BOOST_TEST(log.has("deadlock"));
        report = error.what();
    }
    ::alarm(0);
    return report;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(one_thread, *boost::unit_test::precondition(process_has_one_thread))

BOOST_AUTO_TEST_CASE(a_wait_that_no_fiber_can_end_is_a_deadlock) {
    struct {
        std::string reason;
        std::function<void()> wait;
    } const waits[] = {
        {"receiving from a channel",
         [] {
             coir::channel<int>(0).receive();
         }},
        {"sending on a channel",
         [] {
             coir::channel<int>(0).send(1);
         }},
        {"an event",
         [] {
             coir::event().wait();
         }},
        {"a semaphore",
         [] {
             coir::binary_semaphore(0).acquire();
         }},
        {"a latch",
         [] {
             coir::latch(1).wait();
         }},
        {"a barrier",
         [] {
             coir::barrier(2).arrive_and_wait();
         }},
        {"a condition variable",
         [] {
             coir::mutex m;
             std::unique_lock lock(m);
             coir::condition_variable().wait(lock);
         }},
        {"a promise",
         [] {
             coir::promise<int>().get_future().get();
         }},
        {"a select of several cases",
         [] {
             coir::channel<int> c(0);
             coir::event e;
             coir::select(coir::on_receive(c), coir::on_event(e));
         }},
        {"an item of a queue",
         [] {
             coir::queue<int>().get();
         }},
    };
    for (const auto& [reason, wait] : waits) {
        const std::string report = report_of_deadlock(wait);
        BOOST_TEST(report.find(reason) != std::string::npos, reason << ": " << report);
    }
}

BOOST_AUTO_TEST_CASE(a_scope_that_nobody_else_can_cancel_hides_no_deadlock) {
    const std::string report = report_of_deadlock([] {
        coir::cancel_scope scope;
        scope.run([] { coir::event().wait(); });
    });
    BOOST_TEST(report.find("an event") != std::string::npos, report);
}

BOOST_AUTO_TEST_CASE(fibers_and_descriptors_may_end_a_wait) {
    coir::run([] {
        std::array<int, 2> ends{};
        BOOST_TEST_REQUIRE(::pipe(ends.data()) == 0);
        coir::event ready;
        coir::channel<char> letters(0);
        coir::fiber reader([&] {
            char letter = 0;
            coir::posix::read(ends[0], &letter, 1);
            letters.send(letter);
        });
        coir::fiber writer([&] {
            ready.wait();
            coir::posix::write(ends[1], "x", 1);
        });
        coir::fiber starter([&] {
            coir::this_fiber::sleep_for(2ms);
            ready.set();
        });
        BOOST_TEST((letters.receive() == 'x'));
        reader.join();
        writer.join();
        starter.join();
        ::close(ends[0]);
        ::close(ends[1]);
    });
}

BOOST_AUTO_TEST_CASE(a_signal_may_end_a_wait) {
    static coir::signal_safe_event rung;
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {
        rung.set();
    };
    sigaction(SIGALRM, &action, &before);
    coir::run([] {
        coir::event answered;
        coir::fiber answering([&] {
            rung.wait();
            answered.set();
        });
        itimerval soon{};
        soon.it_value.tv_usec = 2000;
        setitimer(ITIMER_REAL, &soon, nullptr);
        coir::test::wait_for_handler(answered);
        BOOST_TEST(!rung.is_set());
    });
    sigaction(SIGALRM, &before, nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
