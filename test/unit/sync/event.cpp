// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/event.hpp>

#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

using coir::event;
using coir::fiber;
using coir::test::elapsed;
using namespace std::chrono_literals;

using mode = event::reset_mode;

namespace coir {
static std::ostream& operator<<(std::ostream& out, mode m) {
    return out << (m == mode::manual ? "manual" : "automatic");
}
}  // namespace coir

namespace {

const auto both = boost::unit_test::data::make({mode::manual, mode::automatic});

}  // namespace

BOOST_AUTO_TEST_SUITE(events)

FIBER_TEST_CASE(a_set_event_lets_everybody_pass_until_it_is_reset) {
    event e;
    int passed = 0;
    std::deque<fiber> fibers;
    for (int i = 0; i < 3; ++i) {
        fibers.emplace_back([&] {
            e.wait();
            ++passed;
        });
    }
    coir::this_fiber::yield();
    BOOST_TEST(passed == 0);
    BOOST_TEST(!e.is_set());
    e.set();
    e.set();
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST(passed == 3);
    BOOST_TEST(e.is_set());
    e.wait();
    BOOST_TEST(e.try_wait());
    e.reset();
    BOOST_TEST(!e.try_wait());
    BOOST_TEST(!e.wait_for(1ms));
}

FIBER_TEST_CASE(an_automatic_event_lets_one_pass_each_time_it_is_set) {
    event e(mode::automatic);
    std::string trace;
    std::deque<fiber> fibers;
    for (char name = 'a'; name <= 'c'; ++name) {
        fibers.emplace_back([&, name] {
            e.wait();
            trace += name;
        });
    }
    coir::this_fiber::yield();
    for (int i = 0; i < 3; ++i) {
        e.set();
        BOOST_TEST(!e.is_set());
        coir::this_fiber::sleep_for(1ms);
        BOOST_TEST(trace.size() == static_cast<std::size_t>(i + 1));
    }
    BOOST_TEST(trace == "abc");
    e.set();
    e.set();
    BOOST_TEST(e.is_set());
    BOOST_TEST(e.try_wait());
    BOOST_TEST(!e.try_wait());
    for (fiber& f : fibers) {
        f.join();
    }
}

FIBER_DATA_TEST_CASE(who_was_let_pass_has_passed_though_it_is_reset_at_once, both, mode, m) {
    event e(m);
    bool passed = false;
    fiber waiting([&] {
        e.wait();
        passed = true;
    });
    coir::this_fiber::yield();
    e.set();
    e.reset();
    waiting.cancel();
    waiting.join();
    BOOST_TEST(passed);
}

FIBER_DATA_TEST_CASE(a_wait_ends_at_its_deadline, both, mode, m) {
    event e(m);
    BOOST_TEST(!e.wait_for(2ms));
    BOOST_TEST((elapsed() == 2ms));
    BOOST_TEST(!e.wait_until(coir::deadline::immediately()));
    e.set();
    BOOST_TEST(e.wait_for(-1ms));
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(a_cancelled_or_timed_out_wait_does_not_reset_it) {
    event e(mode::automatic);
    fiber first([&] { e.wait(); });
    bool passed = true;
    fiber second([&] { passed = e.wait_for(1ms); });
    coir::this_fiber::sleep_for(1ms);  // the second one has timed out and not run
    first.cancel();
    e.set();
    BOOST_TEST(e.is_set());
    first.join();
    second.join();
    BOOST_TEST(!passed);
    BOOST_TEST(e.is_set());
}

FIBER_DATA_TEST_CASE(every_wait_is_a_cancellation_point_although_it_is_set, both, mode, m) {
    event e(m);
    e.set();
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] {
        BOOST_CHECK_THROW(e.wait(), coir::operation_cancelled);
        BOOST_CHECK_THROW(e.wait_for(1ms), coir::operation_cancelled);
    });
    BOOST_TEST(e.is_set());
    e.reset();
    BOOST_CHECK_THROW(coir::with_timeout(2ms, [&] { e.wait(); }), coir::timed_out);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(a_loop_of_passes_or_of_failed_looks_lets_others_run) {
    event e;
    fiber setting([&] { e.set(); });
    while (!e.try_wait()) {
    }
    bool ran = false;
    fiber other([&] { ran = true; });
    while (!ran) {
        e.wait();
    }
    setting.join();
    other.join();
}

// Goal: the usual life of an event, on the stack of whoever waits. Method: it is gone as soon as
// the wait is over, while the thread that set it is still on its way out, which ASan and TSan
// watch.
FIBER_TEST_CASE(who_has_passed_may_destroy_it) {
    for (int i = 0; i < 200; ++i) {
        std::optional<event> e(std::in_place, i % 2 == 0 ? mode::manual : mode::automatic);
        std::thread setting([&] { e->set(); });
        if (i % 3 == 0) {
            while (!e->try_wait()) {
            }
        } else {
            e->wait();
        }
        e.reset();
        setting.join();
    }
}

BOOST_AUTO_TEST_SUITE_END()
