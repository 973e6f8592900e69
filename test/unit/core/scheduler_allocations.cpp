// SPDX-License-Identifier: BSL-1.0
// No allocation on a switch, a park or an unpark, and none on a spawn once the pools are warm.
#include "support/fiber_test.hpp"
#include "unit/core/allocations.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <mutex>

namespace {

using coir::fiber;
using coir::test::allocations;
using std::chrono::milliseconds;

// How many allocations fn makes when it is called for the second time.
template <class F>
std::size_t allocations_when_warm(F fn) {
    fn();
    const std::size_t before = allocations();
    fn();
    return allocations() - before;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scheduler_allocations)

BOOST_AUTO_TEST_CASE(the_count_counts) {
    const std::size_t before = allocations();
    ::operator delete(::operator new(1));  // an expression `new int` may be optimised away
    BOOST_TEST(allocations() == before + 1);
}

FIBER_TEST_CASE(a_spawn_and_join_on_warm_pools_allocates_nothing) {
    BOOST_TEST(allocations_when_warm([] {
                   std::array<fiber, 100> fibers;
                   int ran = 0;
                   for (fiber& f : fibers) {
                       f = fiber([&ran] { ++ran; });
                   }
                   for (fiber& f : fibers) {
                       f.join();
                   }
               }) == 0U);
}

FIBER_TEST_CASE(a_spawn_with_a_short_name_arguments_and_detach_allocates_nothing) {
    BOOST_TEST(allocations_when_warm([] {
                   for (int i = 0; i < 50; ++i) {
                       fiber(
                           {"fifteen letters"}, [](int, double, void*) {}, i, 1.0, nullptr)
                           .detach();
                   }
                   coir::this_fiber::yield();
               }) == 0U);
}

FIBER_TEST_CASE(fibers_that_wait_at_once_allocate_nothing_on_warm_pools) {
    BOOST_TEST(allocations_when_warm([] {
                   coir::wait_queue queue;
                   std::array<fiber, 60> fibers;
                   for (fiber& f : fibers) {
                       f = fiber([&queue] { queue.park(); });
                   }
                   coir::this_fiber::yield();
                   queue.unpark_all();
                   for (fiber& f : fibers) {
                       f.join();
                   }
               }) == 0U);
}

FIBER_TEST_CASE(park_unpark_yield_and_sleep_allocate_nothing_even_when_cold) {
    coir::wait_queue queue;
    std::mutex mutex;
    fiber partner([&] {
        queue.park();
        queue.park(coir::deadline::after(milliseconds(10)));
        std::unique_lock lock(mutex);
        queue.park(lock);
    });
    coir::this_fiber::yield();  // it has its stack
    const std::size_t before = allocations();
    queue.unpark_one();
    coir::this_fiber::sleep_for(milliseconds(1));
    coir::this_fiber::sleep_until(coir::deadline::immediately());
    coir::this_fiber::sleep_for(milliseconds(20));
    {
        const std::lock_guard lock(mutex);
        queue.unpark_all();
    }
    coir::this_fiber::yield();
    const std::size_t after = allocations();
    partner.join();
    BOOST_TEST(after == before);
}

FIBER_TEST_CASE(deadline_scopes_and_shields_allocate_nothing) {
    BOOST_TEST(allocations_when_warm([] {
                   coir::with_timeout(milliseconds(5),
                                      [] { coir::this_fiber::sleep_for(milliseconds(1)); });
                   BOOST_TEST(coir::try_for(milliseconds(5), [] { return 7; }).value() == 7);
                   coir::shield([] { coir::this_fiber::yield(); });
               }) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
