// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/semaphore.hpp>

#include "support/fiber_test.hpp"
#include "unit/context/child_process.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <deque>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

using coir::binary_semaphore;
using coir::counting_semaphore;
using coir::fiber;
using coir::test::elapsed;
using coir::test::is;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(semaphores)

FIBER_TEST_CASE(as_many_as_there_are_permits_do_something_at_once) {
    counting_semaphore<> permits(2);
    int inside = 0;
    int most = 0;
    std::deque<fiber> fibers;
    for (int i = 0; i < 6; ++i) {
        fibers.emplace_back([&] {
            permits.acquire();
            most = std::max(most, ++inside);
            coir::this_fiber::sleep_for(1ms);
            --inside;
            permits.release();
        });
    }
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST(most == 2);
    BOOST_TEST((elapsed() == 3ms));
}

FIBER_TEST_CASE(permits_go_to_those_who_wait_in_the_order_in_which_they_came) {
    counting_semaphore<> permits(0);
    std::string trace;
    std::deque<fiber> fibers;
    for (char name = 'a'; name <= 'd'; ++name) {
        fibers.emplace_back([&, name] {
            permits.acquire();
            trace += name;
        });
    }
    coir::this_fiber::yield();
    permits.release(3);
    BOOST_TEST(!permits.try_acquire());  // they are on their way
    coir::this_fiber::sleep_for(1ms);
    BOOST_TEST(trace == "abc");
    permits.release(2);
    BOOST_TEST(permits.try_acquire());  // the one that was left
    BOOST_TEST(!permits.try_acquire());
    for (fiber& f : fibers) {
        f.join();
    }
}

FIBER_TEST_CASE(an_acquisition_ends_at_its_deadline_and_has_no_permit) {
    binary_semaphore permit(0);
    BOOST_TEST(!permit.try_acquire_for(2ms));
    BOOST_TEST((elapsed() == 2ms));
    BOOST_TEST(!permit.try_acquire_until(coir::deadline::immediately()));
    permit.release();
    BOOST_TEST(permit.try_acquire_for(-1ms));
    BOOST_TEST(!permit.try_acquire());
}

FIBER_TEST_CASE(a_cancelled_or_timed_out_acquisition_takes_no_permit) {
    binary_semaphore permit(0);
    fiber first([&] { permit.acquire(); });
    bool second_acquired = true;
    fiber second([&] { second_acquired = permit.try_acquire_for(1ms); });
    bool third_acquired = false;
    fiber third([&] {
        permit.acquire();
        third_acquired = true;
    });
    // Ready at 1 ms like the second, which has timed out then and not run.
    coir::this_fiber::sleep_for(1ms);
    first.cancel();
    permit.release();
    third.join();
    first.join();
    second.join();
    BOOST_TEST(!second_acquired);
    BOOST_TEST(third_acquired);
    BOOST_TEST(!permit.try_acquire());
}

FIBER_TEST_CASE(a_permit_that_was_given_before_the_cancellation_is_had) {
    binary_semaphore permit(0);
    bool acquired = false;
    fiber waiting([&] {
        permit.acquire();
        acquired = true;
    });
    coir::this_fiber::yield();
    permit.release();
    waiting.cancel();
    waiting.join();
    BOOST_TEST(acquired);
}

FIBER_TEST_CASE(acquiring_is_a_cancellation_point_although_there_is_a_permit) {
    binary_semaphore permit(1);
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] {
        BOOST_CHECK_THROW(permit.acquire(), coir::operation_cancelled);
        BOOST_CHECK_THROW(permit.try_acquire_for(1ms), coir::operation_cancelled);
        BOOST_TEST(permit.try_acquire());
        permit.release();
    });
    permit.acquire();
    BOOST_CHECK_THROW(coir::with_timeout(2ms, [&] { permit.acquire(); }), coir::timed_out);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(many_acquisitions_in_a_row_let_others_run) {
    counting_semaphore<> permits(100000);
    bool ran = false;
    fiber other([&] { ran = true; });
    int acquired = 0;
    while (!ran && acquired < 100000) {
        permits.acquire();
        ++acquired;
    }
    BOOST_TEST(ran);
    other.join();
}

FIBER_TEST_CASE(a_loop_around_try_acquire_lets_others_run) {
    binary_semaphore permit(0);
    fiber releasing([&] { permit.release(); });
    while (!permit.try_acquire()) {
    }
    releasing.join();
}

FIBER_TEST_CASE(the_maximum_is_kept_and_named) {
    counting_semaphore<3> permits(2);
    BOOST_TEST(permits.max() == 3);
    permits.release();
    BOOST_CHECK_EXCEPTION(permits.release(), std::system_error,
                          is(std::errc::value_too_large,
                             "release(1) with 3 available exceeds the limit of this "
                             "coir::counting_semaphore, 3"));
    permits.acquire();
    BOOST_CHECK_THROW(permits.release(2), std::system_error);
    permits.acquire();
    permits.acquire();
    BOOST_CHECK_THROW(permits.release(4), std::system_error);
    permits.release(3);
    BOOST_TEST(permits.try_acquire());
}

FIBER_TEST_CASE(numbers_out_of_range_are_refused) {
    const auto names_it = [](const std::invalid_argument& e) {
        return std::string(e.what()).find("coir::counting_semaphore") != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION(counting_semaphore<3>(4), std::invalid_argument, names_it);
    BOOST_CHECK_EXCEPTION(counting_semaphore<>(-1), std::invalid_argument, names_it);
    counting_semaphore<> permits(0);
    BOOST_CHECK_EXCEPTION(permits.release(-1), std::invalid_argument, names_it);
    permits.release(0);
    BOOST_TEST(!permits.try_acquire());
    constexpr auto most = std::numeric_limits<std::ptrdiff_t>::max();
    permits.release(most);
    BOOST_CHECK_THROW(permits.release(), std::system_error);
    BOOST_TEST(permits.try_acquire());
    permits.release();
}

#if defined(COIR_ASSERTIONS) && COIR_ASSERTIONS
BOOST_AUTO_TEST_CASE(destroying_it_under_a_wait_ends_the_program) {
    const child_result child = run_in_child([] {
        std::signal(SIGABRT, SIG_DFL);
        coir::test::run_in_fiber_world([] {
            std::optional<binary_semaphore> permit(0);
            fiber waiting([&] { permit->acquire(); });
            coir::this_fiber::yield();
            permit.reset();
        });
    });
    BOOST_TEST(child.died_by(SIGABRT));
    BOOST_TEST(child.messages.find("is destroyed while somebody waits") != std::string::npos);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
