// SPDX-License-Identifier: BSL-1.0
#include <coir/timeout.hpp>

#include "core/waiter.hpp"
#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

using coir::deadline;
using coir::fiber;
using coir::timed_out;
using coir::try_for;
using coir::with_timeout;
using coir::test::elapsed;
using namespace std::chrono_literals;
using coir::this_fiber::sleep_for;
using coir::this_fiber::yield;

namespace {

// What a hooked C client does: its call fails with ETIMEDOUT or ECANCELED, and it returns normally.
int blocking_call_of_a_c_library() {
    coir::wait_queue never_notified;
    if (never_notified.park(deadline::after(1h)) == coir::wait_status::cancelled) {
        return coir::detail::cancellation_errno();
    }
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(timeout)

FIBER_TEST_CASE(with_timeout_returns_what_the_body_returns) {
    BOOST_TEST(with_timeout(1s, [] { return 7; }) == 7);
    BOOST_TEST(*with_timeout(1s, [] { return std::make_unique<int>(3); }) == 3);
    int variable = 0;
    BOOST_TEST(&with_timeout(1s, [&]() -> int& { return variable; }) == &variable);
    with_timeout(1s, [] { sleep_for(1ms); });
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(with_timeout_throws_timed_out_when_its_time_is_up_and_not_before) {
    BOOST_CHECK_EXCEPTION(
        with_timeout(5ms, [] { sleep_for(1h); }), timed_out,
        [](const timed_out& e) { return e.code() == std::errc::timed_out && elapsed() == 5ms; });
    sleep_for(1ms);  // it is over
}

FIBER_TEST_CASE(with_timeout_passes_exceptions_through) {
    BOOST_CHECK_THROW(with_timeout(1s, [] { throw std::runtime_error("x"); }), std::runtime_error);
}

FIBER_TEST_CASE(the_tightest_deadline_wins_whether_inner_or_outer) {
    BOOST_CHECK_THROW(
        with_timeout(3ms,
                     [] {
                         with_timeout(1h, [] { sleep_for(2h); });
                         BOOST_TEST(false, "the inner scope has absorbed the outer one's deadline");
                     }),
        timed_out);
    BOOST_TEST((elapsed() == 3ms));
    with_timeout(1h, [] {
        BOOST_CHECK_THROW(with_timeout(2ms, [] { sleep_for(2h); }), timed_out);
        sleep_for(1ms);
    });
    BOOST_TEST((elapsed() == 6ms));
}

FIBER_TEST_CASE(of_equal_deadlines_the_outer_one_is_thrown) {
    const deadline until = deadline::after(4ms);
    bool after_inner = false;
    BOOST_CHECK_THROW(coir::with_deadline(until,
                                          [&] {
                                              try {
                                                  coir::with_deadline(until, [] { sleep_for(1h); });
                                              } catch (const timed_out&) {
                                                  after_inner = true;
                                                  yield();
                                              }
                                          }),
                      timed_out);
    BOOST_TEST((elapsed() == 4ms));
    static_cast<void>(after_inner);  // either may be seen first; both end
}

FIBER_TEST_CASE(several_waits_share_one_deadline) {
    int slept = 0;
    BOOST_CHECK_THROW(with_timeout(5ms,
                                   [&] {
                                       for (;; ++slept) {
                                           sleep_for(2ms);
                                       }
                                   }),
                      timed_out);
    BOOST_TEST(slept == 2);
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(a_timeout_of_zero_or_less_has_passed_already) {
    for (const auto timeout : {0ms, -1ms, -3600000ms}) {
        bool entered = false;
        bool waited = false;
        BOOST_CHECK_THROW(with_timeout(timeout,
                                       [&] {
                                           entered = true;
                                           yield();
                                           waited = true;
                                       }),
                          timed_out);
        BOOST_TEST(entered);
        BOOST_TEST(!waited);
    }
    BOOST_CHECK_THROW(with_timeout(std::chrono::nanoseconds::min(), [] { yield(); }), timed_out);
    BOOST_TEST((elapsed() == 0ms));
}

BOOST_AUTO_TEST_CASE(a_timeout_of_zero_has_passed_already_on_the_steady_clock) {
    struct looking_idle_source final : coir::detail::idle_source {
        void wait(deadline) noexcept override {}
        void wake() noexcept override {}
    } idle;
    coir::detail::scheduler fibers({}, idle);
    auto body = [] {
        BOOST_CHECK_THROW(with_timeout(0s, [] { coir::this_fiber::check_cancelled(); }), timed_out);
    };
    fibers.run_main(body);
}

FIBER_TEST_CASE(a_timeout_too_long_for_the_clock_never_comes) {
    with_timeout(std::chrono::hours::max(), [] { sleep_for(24h * 365 * 100); });
    with_timeout(std::chrono::duration<double>(1e300), [] { sleep_for(1h); });
}

FIBER_TEST_CASE(a_body_that_returns_late_without_a_failed_wait_counts) {
    const int result = with_timeout(1ms, [] {
        coir::shield([] { sleep_for(10ms); });
        return 3;
    });
    BOOST_TEST(result == 3);
    BOOST_TEST((elapsed() == 10ms));
}

FIBER_TEST_CASE(a_deadline_that_a_c_library_met_leads_to_timed_out_although_it_returned) {
    BOOST_CHECK_THROW(with_timeout(2ms, [] { return blocking_call_of_a_c_library(); }), timed_out);
    BOOST_TEST((elapsed() == 2ms));
    BOOST_TEST((try_for(2ms, [] { return blocking_call_of_a_c_library(); }) == std::nullopt));
    BOOST_TEST(!try_for(2ms, [] { blocking_call_of_a_c_library(); }));
}

FIBER_TEST_CASE(a_deadline_met_by_a_c_library_is_told_to_the_scope_whose_it_was) {
    bool inner_returned = false;
    BOOST_CHECK_THROW(
        with_timeout(2ms,
                     [&] { inner_returned = try_for(1h, [] { blocking_call_of_a_c_library(); }); }),
        timed_out);
    BOOST_TEST(inner_returned);
}

FIBER_TEST_CASE(try_for_tells_by_its_result) {
    BOOST_TEST(try_for(5ms, [] { sleep_for(1ms); }));
    BOOST_TEST(!try_for(5ms, [] { sleep_for(1h); }));
    BOOST_TEST((try_for(5ms, [] { return 7; }) == std::optional<int>(7)));
    BOOST_TEST((try_for(5ms, [] {
                    sleep_for(1h);
                    return 7;
                }) == std::nullopt));
    BOOST_TEST(**try_for(5ms, [] { return std::make_unique<int>(3); }) == 3);
    static_assert(std::is_same_v<decltype(try_for(5ms, [] {})), bool>);
    BOOST_CHECK_THROW(try_for(5ms, [] { throw std::runtime_error("x"); }), std::runtime_error);
    BOOST_TEST((elapsed() == 11ms));
}

FIBER_TEST_CASE(try_for_of_a_reference_gives_a_reference_wrapper) {
    int variable = 3;
    const auto found = try_for(5ms, [&]() -> int& { return variable; });
    static_assert(
        std::is_same_v<decltype(found), const std::optional<std::reference_wrapper<int>>>);
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(&found->get() == &variable);
    const auto unchangeable = try_for(5ms, [&]() -> const int& { return variable; });
    static_assert(std::is_same_v<decltype(unchangeable),
                                 const std::optional<std::reference_wrapper<const int>>>);
    BOOST_TEST(!try_for(5ms, [&]() -> int& {
                    sleep_for(1h);
                    return variable;
                }).has_value());
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(a_cancellation_from_outside_is_no_timeout) {
    bool passed = false;
    fiber f([&] {
        try {
            with_timeout(1h, [] { sleep_for(2h); });
        } catch (const coir::operation_cancelled&) {
            passed = true;
            throw;
        }
    });
    yield();
    f.cancel();
    f.join();
    BOOST_TEST(passed);
    BOOST_TEST((elapsed() == 0ms));
}

FIBER_TEST_CASE(a_cancel_scope_with_a_deadline_cancels_itself) {
    coir::cancel_scope scope(deadline::after(3ms));
    BOOST_TEST(!scope.cancel_requested());
    BOOST_TEST(!scope.run([] { sleep_for(1h); }));
    BOOST_TEST(scope.cancel_requested());
    BOOST_TEST((elapsed() == 3ms));
    coir::cancel_scope quick(deadline::after(3ms));
    BOOST_TEST(quick.run([] { sleep_for(1ms); }));
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_a_deadline_ends_waits_too) {
    const auto before = std::chrono::steady_clock::now();
    BOOST_CHECK_THROW(with_timeout(3ms, [] { sleep_for(1h); }), timed_out);
    BOOST_TEST((std::chrono::steady_clock::now() - before >= 3ms));
    BOOST_TEST(with_timeout(1h, [] { return 7; }) == 7);
    BOOST_TEST(!try_for(-1ms, [] { yield(); }));
    BOOST_TEST(!try_for(1ms, [] { try_for(1h, [] { sleep_for(2h); }); }));
    BOOST_TEST(try_for(1h, [] { BOOST_TEST(!try_for(1ms, [] { sleep_for(2h); })); }));
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_a_shield_keeps_deadlines_out) {
    const auto before = std::chrono::steady_clock::now();
    BOOST_TEST(!try_for(1ms, [] {
        coir::shield([] { sleep_for(4ms); });
        yield();
    }));
    BOOST_TEST((std::chrono::steady_clock::now() - before >= 4ms));
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_a_deadline_met_by_a_c_library_leads_to_timed_out) {
    BOOST_CHECK_THROW(with_timeout(2ms, [] { return blocking_call_of_a_c_library(); }), timed_out);
}

BOOST_AUTO_TEST_SUITE_END()
