// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/run_options.hpp>

#include <boost/test/unit_test.hpp>
#include <ctime>

using namespace coir::test;

BOOST_AUTO_TEST_SUITE(posix_sleep)

BOOST_AUTO_TEST_CASE(no_sleep_is_short) {
    check_law([](const posix_calls& c, transcript& t) {
        const timespec time{0, 20'000'001};
        timespec left{7, 7};
        t.call_of_at_least(milliseconds(20), "usleep", [&] { return c.usleep(20'000); });
        t.call_of_at_least(milliseconds(20), "nanosleep",
                           [&] { return c.nanosleep(&time, &left); });
        t.add("  left " + std::to_string(left.tv_sec));
        for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI}) {
            t.call_of_at_least(milliseconds(20), "clock_nanosleep",
                               [&] { return c.clock_nanosleep(clock, 0, &time, nullptr); });
            timespec at{};
            ::clock_gettime(clock, &at);
            at.tv_nsec += 20'000'000;
            at.tv_sec += at.tv_nsec / 1'000'000'000;
            at.tv_nsec %= 1'000'000'000;
            t.call("clock_nanosleep until",
                   [&] { return c.clock_nanosleep(clock, TIMER_ABSTIME, &at, nullptr); });
            timespec now{};
            ::clock_gettime(clock, &now);
            const bool come =
                now.tv_sec > at.tv_sec || (now.tv_sec == at.tv_sec && now.tv_nsec >= at.tv_nsec);
            t.add(come ? "  the time has come" : "  the time has not come");
        }
    });
}

BOOST_AUTO_TEST_CASE(no_time_is_no_sleep) {
    check_law([](const posix_calls& c, transcript& t) {
        const timespec none{0, 0};
        const timespec past{1, 0};
        t.call("sleep", [&] { return c.sleep(0); });
        t.call("usleep", [&] { return c.usleep(0); });
        t.call("nanosleep", [&] { return c.nanosleep(&none, nullptr); });
        for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
            t.call("clock_nanosleep",
                   [&] { return c.clock_nanosleep(clock, TIMER_ABSTIME, &past, nullptr); });
        }
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        const timespec negative{-1, 0};
        const timespec broken{0, 1'000'000'000};
        t.call("negative", [&] { return c.nanosleep(&negative, nullptr); });
        t.call("broken", [&] { return c.nanosleep(&broken, nullptr); });
        t.call("clock negative",
               [&] { return c.clock_nanosleep(CLOCK_MONOTONIC, 0, &negative, nullptr); });
        t.call("clock broken",
               [&] { return c.clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &broken, nullptr); });
        t.call("no clock", [&] { return c.clock_nanosleep(12345, 0, &broken, nullptr); });
    });
}

BOOST_AUTO_TEST_CASE(sleeping_fibers_sleep_at_the_same_time) {
    const auto begun = std::chrono::steady_clock::now();
    int woken = 0;
    coir::run([&] {
        std::vector<coir::fiber> fibers;
        for (int i = 0; i < 100; ++i) {
            fibers.emplace_back([&] { woken += coir::posix::usleep(50'000) == 0 ? 1 : 0; });
        }
        for (coir::fiber& one : fibers) {
            one.join();
        }
    });
    BOOST_TEST(woken == 100);
    BOOST_TEST((std::chrono::steady_clock::now() - begun >= milliseconds(50)));
    BOOST_TEST((std::chrono::steady_clock::now() - begun < milliseconds(2'500)));
}

BOOST_AUTO_TEST_CASE(a_virtual_clock_makes_sleeps_short) {
    coir::run_options options;
    options.clock = coir::clock_kind::virtual_time;
    const auto begun = std::chrono::steady_clock::now();
    coir::run(options, [] {
        BOOST_TEST(coir::posix::sleep(3600) == 0U);
        timespec at{};
        ::clock_gettime(CLOCK_REALTIME, &at);
        at.tv_sec += 3600;
        BOOST_TEST(coir::posix::clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, nullptr) == 0);
    });
    BOOST_TEST((std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)));
}

BOOST_AUTO_TEST_SUITE_END()
