// SPDX-License-Identifier: BSL-1.0
#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "unit/sync/misuse.hpp"

#include <coir/async.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

using coir::future;
using coir::promise;
using coir::test::captured_log;
using coir::test::is;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(promises)

FIBER_TEST_CASE(a_value_reaches_the_future_that_waits) {
    promise<int> p;
    future<int> f = p.get_future();
    coir::fiber setter([&] {
        coir::this_fiber::sleep_for(1ms);
        p.set_value(7);
    });
    BOOST_TEST(!f.ready());
    BOOST_TEST(f.get() == 7);
    setter.join();
}

BOOST_AUTO_TEST_CASE(values_may_be_void_references_and_move_only) {
    promise<void> nothing;
    auto a = nothing.get_future();
    nothing.set_value();
    a.get();
    int variable = 0;
    promise<int&> reference;
    auto b = reference.get_future();
    reference.set_value(variable);
    BOOST_TEST(&b.get() == &variable);
    promise<std::unique_ptr<int>> moved;
    auto c = moved.get_future();
    moved.set_value(std::make_unique<int>(3));
    BOOST_TEST(*c.get() == 3);
}

BOOST_AUTO_TEST_CASE(an_exception_reaches_the_future) {
    promise<int> p;
    auto f = p.get_future();
    p.set_exception(std::make_exception_ptr(std::runtime_error("set")));
    BOOST_TEST(f.ready());
    BOOST_CHECK_THROW(f.get(), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(an_exception_that_nobody_fetches_is_logged) {
    const captured_log log;
    {
        promise<int> p;
        const auto f = p.get_future();
        p.set_exception(std::make_exception_ptr(std::runtime_error("unheard")));
    }
    BOOST_TEST(log.messages() == 1U);
    BOOST_TEST(log.has("unheard"));
}

BOOST_AUTO_TEST_CASE(a_promise_that_goes_without_a_result_is_broken) {
    const captured_log log;
    future<int> f;
    {
        promise<int> p;
        f = p.get_future();
    }
    BOOST_CHECK_EXCEPTION(f.get(), std::future_error, is(std::future_errc::broken_promise));
    { const promise<int> unused; }
    BOOST_TEST(log.messages() == 0U);
}

BOOST_AUTO_TEST_CASE(a_moved_promise_is_not_broken) {
    promise<int> p;
    auto f = p.get_future();
    promise<int> moved(std::move(p));
    BOOST_TEST(!f.ready());
    promise<int> assigned;
    assigned = std::move(moved);
    BOOST_TEST(!f.ready());
    assigned.set_value(1);
    BOOST_TEST(f.get() == 1);
    // NOLINTNEXTLINE(bugprone-use-after-move): what a moved-from promise does
    BOOST_CHECK_EXCEPTION(p.set_value(2), std::future_error, is(std::future_errc::no_state));
    BOOST_CHECK_EXCEPTION(p.get_future(), std::future_error, is(std::future_errc::no_state));
}

BOOST_AUTO_TEST_CASE(swap_exchanges_the_states) {
    promise<int> p;
    promise<int> other;
    auto f = p.get_future();
    swap(p, other);
    auto g = p.get_future();
    other.set_value(1);
    p.set_value(2);
    BOOST_TEST(f.get() == 1);
    BOOST_TEST(g.get() == 2);
}

BOOST_AUTO_TEST_CASE(an_assignment_breaks_the_promise_that_is_overwritten) {
    promise<int> p;
    auto f = p.get_future();
    p = promise<int>();
    BOOST_CHECK_EXCEPTION(f.get(), std::future_error, is(std::future_errc::broken_promise));
}

BOOST_AUTO_TEST_CASE(a_result_is_set_once) {
    promise<int> p;
    auto f = p.get_future();
    p.set_value(1);
    BOOST_CHECK_EXCEPTION(p.set_value(2), std::future_error,
                          is(std::future_errc::promise_already_satisfied));
    BOOST_CHECK_EXCEPTION(p.set_exception(std::make_exception_ptr(1)), std::future_error,
                          is(std::future_errc::promise_already_satisfied));
    BOOST_TEST(f.get() == 1);
    BOOST_CHECK_EXCEPTION(p.set_value(3), std::future_error,
                          is(std::future_errc::promise_already_satisfied));
}

BOOST_AUTO_TEST_CASE(a_future_is_handed_out_once) {
    promise<int> p;
    const auto f = p.get_future();
    BOOST_CHECK_EXCEPTION(p.get_future(), std::future_error,
                          is(std::future_errc::future_already_retrieved));
}

BOOST_AUTO_TEST_CASE(a_value_whose_copy_throws_leaves_the_promise_open) {
    struct throws_when_copied {
        throws_when_copied() = default;
        throws_when_copied(const throws_when_copied&) { throw std::runtime_error("no copy"); }
        throws_when_copied(throws_when_copied&&) = default;
    };
    promise<throws_when_copied> p;
    auto f = p.get_future();
    const throws_when_copied value;
    BOOST_CHECK_THROW(p.set_value(value), std::runtime_error);
    BOOST_TEST(!f.ready());
    p.set_value(throws_when_copied());
    BOOST_TEST(f.ready());
}

BOOST_AUTO_TEST_CASE(cancel_of_a_promise_s_future_does_nothing) {
    promise<int> p;
    auto f = p.get_future();
    f.cancel();
    p.set_value(1);
    BOOST_TEST(f.get() == 1);
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_a_wait_ends_at_its_deadline) {
    promise<int> p;
    auto f = p.get_future();
    const auto before = std::chrono::steady_clock::now();
    BOOST_TEST((f.wait_for(2ms) == std::future_status::timeout));
    BOOST_TEST((std::chrono::steady_clock::now() - before >= 2ms));
    BOOST_TEST((f.wait_for(0s) == std::future_status::timeout));
    p.set_value(1);
    BOOST_TEST((f.wait_for(0s) == std::future_status::ready));
}

BOOST_AUTO_TEST_SUITE_END()
