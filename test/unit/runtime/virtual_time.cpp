// SPDX-License-Identifier: BSL-1.0
// run() on virtual time: real descriptors and threads, and a clock that jumps.
#include "reactor/wait_io.hpp"
#include "support/descriptors.hpp"
#include "support/watched_thread.hpp"

#include <coir/blocking.hpp>
#include <coir/deadline.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>

using coir::fiber;
using coir::test::pipe_ends;
using coir::test::put;
using coir::test::watched_thread;
using namespace std::chrono_literals;

namespace {

coir::run_options on_virtual_time() {
    coir::run_options options;
    options.clock = coir::clock_kind::virtual_time;
    return options;
}

coir::detail::io_interest reading(const pipe_ends& pipe) {
    return {pipe.read.get(), coir::detail::direction::read, coir::detail::descriptor_kind::foreign};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(virtual_time)

BOOST_AUTO_TEST_CASE(a_year_passes_at_once_and_exactly) {
    const auto before = std::chrono::steady_clock::now();
    coir::run(on_virtual_time(), [] {
        const auto start = coir::detail::now();
        coir::this_fiber::sleep_for(24h * 365);
        BOOST_TEST((coir::detail::now() - start == 24h * 365));
    });
    BOOST_TEST((std::chrono::steady_clock::now() - before < 1h));
    BOOST_TEST((coir::detail::now() - before < 1h));  // the thread has its own clock again
}

BOOST_AUTO_TEST_CASE(a_timeout_around_the_run_counts_in_virtual_time) {
    BOOST_CHECK_NO_THROW(coir::with_timeout(
        1h, [] { coir::run(on_virtual_time(), [] { coir::this_fiber::sleep_for(59min); }); }));
    BOOST_CHECK_THROW(
        coir::with_timeout(
            1h, [] { coir::run(on_virtual_time(), [] { coir::this_fiber::sleep_for(61min); }); }),
        coir::timed_out);
}

BOOST_AUTO_TEST_CASE(an_event_that_is_there_comes_before_the_jump) {
    coir::run(on_virtual_time(), [] {
        const pipe_ends pipe;
        const auto start = coir::detail::now();
        fiber writer([&] { put(pipe.write); });
        BOOST_TEST(coir::detail::wait_io(reading(pipe), coir::deadline::after(1h)).ready());
        BOOST_TEST((coir::detail::now() == start));
        writer.join();
    });
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_descriptor_meets_its_deadline) {
    coir::run(on_virtual_time(), [] {
        const pipe_ends pipe;
        const auto result = coir::detail::wait_io(reading(pipe), coir::deadline::after(1h));
        BOOST_TEST((result.status == coir::wait_status::timed_out));
    });
}

BOOST_AUTO_TEST_CASE(time_stands_still_during_a_blocking_call) {
    coir::run(on_virtual_time(), [] {
        const watched_thread carrier;
        const auto start = coir::detail::now();
        coir::with_timeout(1ms, [&] { coir::run_blocking([&] { carrier.await_asleep(); }); });
        BOOST_TEST((coir::detail::now() == start));
    });
}

// Goal: no wake-up is lost between the last look at the inbox and the blocking wait. Method: many
// blocking calls that end at once; a lost wake-up hangs.
BOOST_AUTO_TEST_CASE(many_short_blocking_calls_all_come_back) {
    coir::run(on_virtual_time(), [] {
        int ended = 0;
        for (int i = 0; i < 5000; ++i) {
            coir::run_blocking([&] { ++ended; });
        }
        BOOST_TEST(ended == 5000);
    });
}

BOOST_AUTO_TEST_CASE(a_busy_fiber_does_not_starve_descriptors) {
    coir::run(on_virtual_time(), [] {
        const pipe_ends pipe;
        put(pipe.write);
        bool woken = false;
        fiber reader(
            [&] { woken = coir::detail::wait_io(reading(pipe), coir::deadline::never()).ready(); });
        int turns = 0;
        for (; !woken && turns < 10000; ++turns) {
            coir::this_fiber::yield();
        }
        BOOST_TEST(woken);
        BOOST_TEST(turns < 5000);
    });
}

BOOST_AUTO_TEST_SUITE_END()
