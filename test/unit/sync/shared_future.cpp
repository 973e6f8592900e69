// SPDX-License-Identifier: BSL-1.0
#include <coir/shared_future.hpp>

#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using coir::future;
using coir::promise;
using coir::shared_future;
using coir::test::captured_log;
using coir::test::elapsed;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(shared_futures)

FIBER_TEST_CASE(all_who_wait_see_one_value) {
    promise<std::unique_ptr<int>> p;
    const shared_future<std::unique_ptr<int>> shared = p.get_future().share();
    const int* seen = nullptr;
    int looked = 0;
    coir::task_group group;
    for (int i = 0; i < 3; ++i) {
        group.spawn([&, mine = shared] {
            const std::unique_ptr<int>& value = mine.get();
            looked += *value;
            BOOST_TEST((seen == nullptr || seen == value.get()));
            seen = value.get();
        });
    }
    coir::this_fiber::yield();
    p.set_value(std::make_unique<int>(7));
    group.join();
    BOOST_TEST(looked == 21);
    BOOST_TEST(*shared.get() == 7);  // it is still there
}

FIBER_TEST_CASE(it_takes_a_future_s_place) {
    future<int> one = coir::async([] { return 7; });
    const shared_future<int> shared = one.share();
    BOOST_TEST(!one.valid());  // NOLINT(bugprone-use-after-move): what is left of it
    BOOST_TEST(shared.valid());
    const shared_future<int> converted = coir::async([] { return 8; });
    BOOST_TEST(shared.get() == 7);
    BOOST_TEST(converted.get() == 8);
    BOOST_CHECK_THROW(one.wait(), std::future_error);
    BOOST_CHECK_THROW(shared_future<int>().get(), std::future_error);
    BOOST_TEST(!future<int>().share().valid());
}

FIBER_TEST_CASE(results_may_be_void_and_references) {
    promise<void> nothing;
    const shared_future<void> a = nothing.get_future().share();
    nothing.set_value();
    a.get();
    a.get();
    static_assert(std::is_void_v<decltype(a.get())>);
    int variable = 0;
    promise<int&> reference;
    const shared_future<int&> b = reference.get_future().share();
    reference.set_value(variable);
    BOOST_TEST(&b.get() == &variable);
    static_assert(std::is_same_v<decltype(b.get()), int&>);
    static_assert(std::is_same_v<decltype(std::declval<shared_future<int>&>().get()), const int&>);
}

FIBER_TEST_CASE(an_exception_is_rethrown_to_each) {
    const captured_log log;
    {
        const shared_future<int> shared =
            coir::async([]() -> int { throw std::runtime_error("no"); });
        const shared_future<int> copy = shared;
        BOOST_CHECK_THROW(shared.get(), std::runtime_error);
        BOOST_CHECK_THROW(shared.get(), std::runtime_error);
        BOOST_CHECK_THROW(copy.get(), std::runtime_error);
    }
    BOOST_TEST(log.messages() == 0U);
    {
        const shared_future<int> unheard =
            coir::async([]() -> int { throw std::runtime_error("x"); });
        unheard.wait();
    }
    BOOST_TEST(log.messages() == 1U);
}

FIBER_TEST_CASE(a_deadline_or_a_cancellation_ends_the_wait_of_one_alone) {
    promise<int> p;
    const shared_future<int> shared = p.get_future().share();
    BOOST_TEST((shared.wait_for(2ms) == std::future_status::timeout));
    BOOST_TEST((elapsed() == 2ms));
    BOOST_TEST(!shared.ready());
    bool cancelled = false;
    int got = 0;
    coir::fiber first([&, shared] {
        try {
            shared.wait();
        } catch (const coir::operation_cancelled&) {
            cancelled = true;
            throw;
        }
    });
    coir::fiber second([&, shared] { got = shared.get(); });
    coir::this_fiber::yield();
    first.cancel();
    first.join();
    BOOST_TEST(cancelled);
    p.set_value(3);
    second.join();
    BOOST_TEST(got == 3);
    BOOST_TEST((shared.wait_for(0s) == std::future_status::ready));
}

FIBER_TEST_CASE(a_broken_promise_is_told_to_all) {
    shared_future<int> shared;
    {
        promise<int> p;
        shared = p.get_future().share();
    }
    BOOST_CHECK_THROW(shared.get(), std::future_error);
    BOOST_CHECK_THROW(shared.get(), std::future_error);
}

FIBER_TEST_CASE(threads_and_fibers_share_a_result) {
    promise<int> p;
    const shared_future<int> shared = p.get_future().share();
    std::atomic<int> sum{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&sum, mine = shared] { sum += mine.get(); });
    }
    coir::fiber setter([&] { p.set_value(5); });
    sum += shared.get();
    setter.join();
    for (std::thread& t : threads) {
        t.join();
    }
    BOOST_TEST(sum == 20);
}

BOOST_AUTO_TEST_SUITE_END()
