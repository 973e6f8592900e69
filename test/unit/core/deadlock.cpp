// SPDX-License-Identifier: BSL-1.0
#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "unit/context/child_process.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>

using coir::deadline;
using coir::fiber;
using coir::wait_queue;
using coir::test::captured_log;
using coir::test::fiber_world;
using namespace std::chrono_literals;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(deadlock)

BOOST_AUTO_TEST_CASE(the_report_names_fibers_places_reasons_and_times) {
    const captured_log log;
    fiber_world world;
    int line_of_options = 0;
    int line_of_function = 0;
    auto body = [&] {
        wait_queue queue;
        line_of_options = __LINE__ + 1;
        fiber named({"reader"}, [&] { queue.park(deadline::never(), {"a full buffer", 17}); });
        line_of_function = __LINE__ + 1;
        fiber plain([&] { queue.park(deadline::never(), {"an empty buffer"}); });
        coir::this_fiber::sleep_for(250ms);
        named.join();
    };
    const std::string report = world.run_into_deadlock(body);
    BOOST_TEST(contains(report, "'main'"));
    BOOST_TEST(contains(report, "waits for the end of fiber"));
    BOOST_TEST(contains(report, "since 0 ms"));
    BOOST_TEST(contains(report, "'reader' spawned at "));
    BOOST_TEST(contains(report, "deadlock.cpp:" + std::to_string(line_of_options) + ' '));
    BOOST_TEST(contains(report, "deadlock.cpp:" + std::to_string(line_of_function) + ' '));
    BOOST_TEST(contains(report, "a full buffer 17 since 250 ms"));
    BOOST_TEST(contains(report, "an empty buffer since 250 ms"));
    BOOST_TEST(log.has(report));
}

BOOST_AUTO_TEST_CASE(a_deadlock_is_broken_by_cancelling_everything) {
    const captured_log log;
    fiber_world world;
    int cancelled = 0;
    auto body = [&] {
        wait_queue queue;
        const auto wait = [&] {
            cancelled += queue.park() == coir::wait_status::cancelled ? 1 : 0;
        };
        fiber a(wait);
        fiber b(wait);
        wait();
    };
    world.run_into_deadlock(body);
    BOOST_TEST(cancelled == 3);
}

FIBER_TEST_CASE(a_timer_that_is_armed_is_no_deadlock) {
    wait_queue queue;
    fiber waiting([&] { queue.park(); });
    coir::this_fiber::sleep_for(24h);
    queue.unpark_one();
    waiting.join();
}

FIBER_TEST_CASE(a_wait_that_another_thread_can_end_is_no_deadlock) {
    wait_queue queue;
    std::mutex mutex;
    bool notified = false;
    std::unique_lock lock(mutex);  // held until the fiber has parked: only then can it be notified
    std::thread notifier([&] {
        const std::lock_guard in_notifier(mutex);
        notified = true;
        queue.unpark_one();
    });
    while (!notified) {
        BOOST_TEST((queue.park(lock) == coir::wait_status::notified));
    }
    lock.unlock();
    notifier.join();
}

FIBER_TEST_CASE(an_entered_cancel_scope_is_no_deadlock_since_any_thread_may_cancel_it) {
    coir::cancel_scope scope;
    std::thread canceller;
    BOOST_TEST(!scope.run([&] {
        canceller = std::thread([&] { scope.cancel(); });
        coir::this_fiber::sleep_until(coir::deadline::never());
    }));
    canceller.join();
}

BOOST_AUTO_TEST_CASE(a_deadlock_behind_a_wait_from_outside_is_seen_when_that_has_ended) {
    const captured_log log;
    fiber_world world;
    auto body = [] {
        wait_queue never_notified;
        wait_queue queue;
        std::mutex mutex;
        std::thread notifier([&] {
            for (bool notified = false; !notified;) {
                const std::lock_guard lock(mutex);
                notified = queue.unpark_one();
            }
        });
        {
            std::unique_lock lock(mutex);
            queue.park(lock);
        }
        notifier.join();
        never_notified.park();
    };
    world.run_into_deadlock(body);
}

BOOST_AUTO_TEST_CASE(fibers_that_shield_themselves_in_a_deadlock_end_the_program) {
    const child_result child = run_in_child([] {
        std::signal(SIGABRT, SIG_DFL);
        fiber_world world;
        auto body = [] {
            wait_queue queue;
            fiber stubborn({"stubborn"}, [&] { coir::shield([&] { queue.park(); }); });
            stubborn.join();
        };
        world.run(body);
    });
    BOOST_TEST(child.died_by(SIGABRT));
    BOOST_TEST(contains(child.messages, "cannot be cancelled"));
    BOOST_TEST(contains(child.messages, "'stubborn'"));
}

FIBER_TEST_CASE(the_description_tells_where_every_fiber_stands) {
    fiber unstarted({"unstarted"}, [] {});
    const std::string text = coir::detail::scheduler::current()->describe_fibers();
    BOOST_TEST(contains(text, "'main': running"));
    BOOST_TEST(contains(text, "'unstarted'"));
    BOOST_TEST(contains(text, ": ready"));
    unstarted.join();
}

BOOST_AUTO_TEST_SUITE_END()
