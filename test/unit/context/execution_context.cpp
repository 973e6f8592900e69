// SPDX-License-Identifier: BSL-1.0
#include "context/execution_context.hpp"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "fiber_on_pool.hpp"

using namespace coir::detail;

namespace {

struct world {
    stack_pool pool;

    ~world() { BOOST_TEST(pool.live() == 0u); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(execution_context, world)

BOOST_AUTO_TEST_CASE(a_fiber_starts_at_the_first_switch_and_continues_where_it_paused) {
    std::string order;
    fiber_on_pool fiber(pool, [&](fiber_on_pool& self) {
        order += "a";
        self.pause();
        order += "b";
    });
    BOOST_TEST(order == "");
    fiber.resume();
    order += "-";
    fiber.resume();
    BOOST_TEST(order == "a-b");
    BOOST_TEST(fiber.ended());
}

BOOST_AUTO_TEST_CASE(a_fiber_runs_within_its_stack) {
    const void* address = nullptr;
    fiber_on_pool fiber(pool, [&](fiber_on_pool& self) {
        address = __builtin_frame_address(0);
        self.pause();
    });
    fiber.resume();
    BOOST_TEST(fiber.current_stack().contains(address));
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(address) % 16 == 0u);
    fiber.resume();
}

BOOST_AUTO_TEST_CASE(fibers_switch_straight_to_each_other) {
    std::string order;
    std::optional<fiber_on_pool> a, b;
    a.emplace(pool, [&](fiber_on_pool& self) {
        order += "a";
        b->resume();
        order += "A";
        self.pause();
        order += "!";
    });
    b.emplace(pool, [&](fiber_on_pool& self) {
        order += "b";
        self.pause();
        order += "B";
    });
    a->resume();
    b->resume();
    a->resume();
    BOOST_TEST(order == "abAB!");
}

BOOST_AUTO_TEST_CASE(a_fiber_may_be_resumed_by_another_one_than_it_left) {
    // main -> first -> second -> main -> first: the second's place must be kept by whoever runs
    // after it.
    const auto globals = thread_globals::of_this_thread();
    struct ring {
        coir::detail::execution_context main, first, second;
        thread_globals globals;
        std::string order;
    } r{{}, {}, {}, globals, {}};
    r.first.prepare(
        pool.acquire(),
        [](void* p) noexcept -> coir::detail::execution_context& {
            auto& ring_ = *static_cast<ring*>(p);
            ring_.order += "1";
            ring_.first.switch_to(ring_.second, ring_.globals);
            ring_.order += "3";
            ring_.first.switch_to(ring_.second, ring_.globals);
            ring_.order += "5";
            return ring_.first.end_with(ring_.main, ring_.globals);
        },
        &r, r.globals);
    r.second.prepare(
        pool.acquire(),
        [](void* p) noexcept -> coir::detail::execution_context& {
            auto& ring_ = *static_cast<ring*>(p);
            ring_.order += "2";
            ring_.second.switch_to(ring_.main, ring_.globals);
            ring_.order += "4";
            return ring_.second.end_with(ring_.first, ring_.globals);
        },
        &r, r.globals);
    r.main.switch_to(r.first, r.globals);
    r.main.switch_to(r.first, r.globals);
    BOOST_TEST(r.order == "12345");
    pool.release(r.first.take_stack());
    pool.release(r.second.take_stack());
}

BOOST_AUTO_TEST_CASE(each_fiber_rethrows_the_exception_that_it_caught) {
    const auto catches = [](std::string text, std::string& rethrown) {
        return [text, &rethrown](fiber_on_pool& self) {
            try {
                throw std::runtime_error(text);
            } catch (const std::exception&) {
                self.pause();
                try {
                    throw;
                } catch (const std::exception& e) {
                    rethrown = e.what();
                    self.pause();
                }
            }
        };
    };
    std::string a_rethrown, b_rethrown;
    fiber_on_pool a(pool, catches("a", a_rethrown));
    fiber_on_pool b(pool, catches("b", b_rethrown));
    // Not last in, first out, in which order a common stack of exceptions would do by chance.
    for (int round = 0; round < 3; ++round) {
        a.resume();
        b.resume();
    }
    BOOST_TEST((a.ended() && b.ended()));
    BOOST_TEST(a_rethrown == "a");
    BOOST_TEST(b_rethrown == "b");
    BOOST_TEST(!std::current_exception());
}

BOOST_AUTO_TEST_CASE(a_fiber_that_starts_inside_a_catch_block_has_caught_nothing) {
    bool caught_something = true;
    try {
        throw std::runtime_error("outside");
    } catch (const std::exception& e) {
        fiber_on_pool fiber(pool,
                            [&](fiber_on_pool&) { caught_something = !!std::current_exception(); });
        fiber.resume();
        BOOST_TEST(!!std::current_exception());
        BOOST_TEST(e.what() == "outside");
    }
    BOOST_TEST(!caught_something);
}

BOOST_AUTO_TEST_CASE(exceptions_in_flight_are_counted_per_fiber) {
    struct pauses_in_destructor {
        fiber_on_pool& fiber;
        std::vector<int>& counts;
        ~pauses_in_destructor() {
            counts.push_back(std::uncaught_exceptions());
            fiber.pause();
            counts.push_back(std::uncaught_exceptions());
        }
    };
    std::vector<int> unwinding, calm;
    fiber_on_pool thrower(pool, [&](fiber_on_pool& self) {
        try {
            const pauses_in_destructor guard{self, unwinding};
            throw std::runtime_error("in flight");
        } catch (const std::exception&) {
            unwinding.push_back(std::uncaught_exceptions());
        }
    });
    fiber_on_pool other(pool, [&](fiber_on_pool& self) {
        calm.push_back(std::uncaught_exceptions());
        self.pause();
        calm.push_back(std::uncaught_exceptions());
    });
    thrower.resume();
    BOOST_TEST(std::uncaught_exceptions() == 0);
    other.resume();
    thrower.resume();
    other.resume();
    BOOST_TEST(unwinding == (std::vector<int>{1, 1, 0}), boost::test_tools::per_element());
    BOOST_TEST(calm == (std::vector<int>{0, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(errno_is_per_fiber) {
    int at_start = -1, after_pause = -1;
    errno = EDOM;
    fiber_on_pool fiber(pool, [&](fiber_on_pool& self) {
        at_start = errno;
        errno = ERANGE;
        self.pause();
        after_pause = errno;
    });
    fiber.resume();
    BOOST_TEST(errno == EDOM);
    errno = EAGAIN;
    fiber.resume();
    BOOST_TEST(errno == EAGAIN);
    BOOST_TEST(at_start == 0);
    BOOST_TEST(after_pause == ERANGE);
}

BOOST_AUTO_TEST_CASE(a_new_fiber_takes_over_the_stack_of_an_ended_one_without_a_switch) {
    struct loop {
        coir::detail::execution_context main, first, second;
        thread_globals globals = thread_globals::of_this_thread();
        bool second_resumed = false;
    } l;
    const stack s = pool.acquire();
    l.first.prepare(
        s,
        [](void* p) noexcept -> coir::detail::execution_context& {
            auto& self = *static_cast<loop*>(p);
            self.first.switch_to(self.main, self.globals);
            self.second.adopt(self.first);
            self.globals.clear();
            self.second.switch_to(self.main, self.globals);
            self.second_resumed = true;
            return self.second.end_with(self.main, self.globals);
        },
        &l, l.globals);
    l.main.switch_to(l.first, l.globals);
    BOOST_TEST(l.first.current_stack().top == s.top);
    l.main.switch_to(l.first, l.globals);
    BOOST_TEST(!l.first.current_stack());
    BOOST_TEST(l.second.current_stack().top == s.top);
    l.main.switch_to(l.second, l.globals);
    BOOST_TEST(l.second_resumed);
    pool.release(l.second.take_stack());
}

BOOST_AUTO_TEST_CASE(a_fiber_that_never_ran_gives_its_stack_back) {
    coir::detail::execution_context context;
    context.prepare(
        pool.acquire(),
        [](void* p) noexcept -> coir::detail::execution_context& {
            return *static_cast<coir::detail::execution_context*>(p);
        },
        &context, thread_globals::of_this_thread());
    pool.release(context.take_stack());
    BOOST_TEST(!context.current_stack());
}

// Instrumented frames are several times as big; what minimum_size promises is for the plain build.
#if !defined(COIR_ADDRESS_SANITIZER) && !defined(COIR_THREAD_SANITIZER)
BOOST_AUTO_TEST_CASE(the_smallest_stack_is_enough_to_throw_and_to_print) {
    std::string text;
    std::vector<stack> others(15);  // so that a slot with much colour is next
    for (stack& s : others)
        s = pool.acquire(stack_pool::minimum_size);
    fiber_on_pool fiber(
        pool,
        [&](fiber_on_pool&) {
            try {
                throw std::system_error(ENOENT, std::generic_category(), "in a fiber");
            } catch (const std::exception& e) {
                char number[400];
                std::snprintf(number, sizeof number, "%.3f %s", 1e300, e.what());
                text = number;
            }
        },
        stack_pool::minimum_size);
    fiber.resume();
    BOOST_TEST(text.find("in a fiber") != std::string::npos);
    for (const stack& s : others)
        pool.release(s);
}
#endif

// Goal: handles of sanitizers and Valgrind do not run out, and no red zone of a former fiber is
// left. Method: many short lives on the same stack, each of which ends inside a few frames that
// have arrays.
BOOST_AUTO_TEST_CASE(a_stack_serves_many_fibers_one_after_the_other) {
    int sum = 0;
    for (int round = 0; round < 10000; ++round) {
        fiber_on_pool fiber(pool, [&](fiber_on_pool& self) {
            volatile char array[300] = {};
            array[round % 300] = 1;
            self.pause();
            for (const char c : array)
                sum += c;
        });
        fiber.resume();
        fiber.resume();
    }
    BOOST_TEST(sum == 10000);
    BOOST_TEST(pool.free() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
