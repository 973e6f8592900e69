// SPDX-License-Identifier: BSL-1.0
#include <coir/fiber_local.hpp>

#include "support/fiber_test.hpp"
#include "unit/core/allocations.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using coir::fiber;
using coir::inherited;
using coir::test::run_in_fiber_world;
using coir::this_fiber::yield;

namespace {

const inherited<int> request_id(-1);
const inherited<std::string> user;

// Counts the values that are alive.
struct counted {
    explicit counted(std::atomic<int>* c = nullptr) : count(c) { add(1); }
    counted(counted&& other) noexcept : count(other.count) { add(1); }
    counted& operator=(counted&&) = delete;
    ~counted() { add(-1); }
    void add(int n) const {
        if (count != nullptr) {
            *count += n;
        }
    }
    std::atomic<int>* count;
};
const inherited<counted> tracked;

}  // namespace

BOOST_AUTO_TEST_SUITE(inherited_variables)

FIBER_TEST_CASE(where_nobody_has_set_it_a_variable_is_its_initial_value) {
    BOOST_TEST(*request_id == -1);
    BOOST_TEST(user.get().empty());
    fiber([] { BOOST_TEST(*request_id == -1); }).join();
}

FIBER_TEST_CASE(a_value_is_set_for_a_scope) {
    {
        const inherited<int>::scope outer(request_id, 1);
        BOOST_TEST(*request_id == 1);
        {
            const inherited<int>::scope inner(request_id, 2);
            const inherited<std::string>::scope other(user, "zoe");
            BOOST_TEST(*request_id == 2);
            BOOST_TEST(user->size() == 3U);
        }
        BOOST_TEST(*request_id == 1);
        BOOST_TEST(user->empty());
    }
    BOOST_TEST(*request_id == -1);
}

FIBER_TEST_CASE(with_sets_a_value_for_a_call_however_it_ends) {
    BOOST_TEST(request_id.with(7, [] { return *request_id; }) == 7);
    BOOST_CHECK_THROW(request_id.with(7, [] { throw std::runtime_error("x"); }),
                      std::runtime_error);
    BOOST_TEST(*request_id == -1);
}

FIBER_TEST_CASE(children_see_what_was_set_when_they_were_spawned) {
    fiber before([] { BOOST_TEST(*request_id == -1); });
    fiber child;
    fiber grandchild;
    {
        const inherited<int>::scope set(request_id, 5);
        child = fiber([&] {
            BOOST_TEST(*request_id == 5);
            grandchild = fiber([] { BOOST_TEST(*request_id == 5); });
            yield();
            BOOST_TEST(*request_id == 5);
        });
    }
    BOOST_TEST(*request_id == -1);  // and the child has not run yet
    fiber after([] { BOOST_TEST(*request_id == -1); });
    before.join();
    child.join();
    grandchild.join();
    after.join();
}

FIBER_TEST_CASE(what_a_child_sets_is_its_own) {
    const inherited<int>::scope set(request_id, 5);
    fiber child([] {
        const inherited<int>::scope here(request_id, 6);
        yield();
        BOOST_TEST(*request_id == 6);
    });
    yield();
    BOOST_TEST(*request_id == 5);
    child.join();
    BOOST_TEST(*request_id == 5);
}

FIBER_TEST_CASE(a_value_lives_as_long_as_somebody_has_it) {
    std::atomic<int> alive{0};
    fiber child;
    {
        const inherited<counted>::scope set(tracked, counted(&alive));
        BOOST_TEST(alive == 1);
        child = fiber([&] {
            yield();
            BOOST_TEST(tracked->count == &alive);
        });
    }
    BOOST_TEST(alive == 1);
    child.join();
    BOOST_TEST(alive == 0);  // though the handle is still there
}

FIBER_TEST_CASE(a_fiber_that_is_cancelled_before_it_runs_lets_go_of_its_values) {
    std::atomic<int> alive{0};
    {
        const inherited<counted>::scope set(tracked, counted(&alive));
        fiber never_runs([] {});
        never_runs.cancel();
    }
    BOOST_TEST(alive == 0);
}

FIBER_TEST_CASE(scopes_may_nest_deep) {
    std::atomic<int> alive{0};
    fiber child;
    {
        std::deque<inherited<counted>::scope> scopes;
        for (int i = 0; i < 100000; ++i) {
            scopes.emplace_back(tracked, counted(&alive));
        }
        child = fiber([] {});
        while (!scopes.empty()) {
            scopes.pop_back();
        }
        BOOST_TEST(alive == 100000);
    }
    child.join();
    BOOST_TEST(alive == 0);
}

FIBER_TEST_CASE(a_spawn_allocates_nothing_for_what_it_hands_on) {
    const inherited<int>::scope set(request_id, 5);
    const inherited<std::string>::scope also(user, "zoe");
    const auto spawn_some = [] {
        for (int i = 0; i < 10; ++i) {
            fiber f([] { BOOST_REQUIRE(*request_id == 5); });
            f.join();
        }
    };
    spawn_some();
    const std::size_t before = coir::test::allocations();
    spawn_some();
    BOOST_TEST(coir::test::allocations() == before);
}

BOOST_AUTO_TEST_CASE(a_plain_thread_s_values_are_inherited_by_its_main_fiber) {
    const inherited<int>::scope set(request_id, 8);
    BOOST_TEST(*request_id == 8);
    run_in_fiber_world([] {
        BOOST_TEST(*request_id == 8);
        const inherited<int>::scope inside(request_id, 9);
        fiber([] { BOOST_TEST(*request_id == 9); }).join();
    });
    BOOST_TEST(*request_id == 8);
    int elsewhere = 0;
    std::thread([&] { elsewhere = *request_id; }).join();
    BOOST_TEST(elsewhere == -1);
}

// Goal: values that fibers of several carriers share are counted right. Method: carriers take the
// values of one thread over, spawn, set and leave at once; the last one out must destroy.
BOOST_AUTO_TEST_CASE(carriers_share_values) {
    std::atomic<int> alive{0};
    std::atomic<int> seen{0};
    for (int round = 0; round < 20; ++round) {
        std::vector<std::thread> carriers;
        {
            const inherited<counted>::scope set(tracked, counted(&alive));
            const auto values = coir::detail::inherited_values::current();
            for (int i = 0; i < 3; ++i) {
                carriers.emplace_back([&, values] {
                    coir::detail::inherited_values::current() = values;
                    run_in_fiber_world([&] {
                        std::deque<fiber> fibers;
                        for (int k = 0; k < 20; ++k) {
                            fibers.emplace_back([&] {
                                seen += tracked->count == &alive ? 1 : 0;
                                const inherited<counted>::scope own(tracked, counted(&alive));
                                yield();
                            });
                        }
                        for (fiber& f : fibers) {
                            f.join();
                        }
                    });
                });
            }
        }
        for (std::thread& carrier : carriers) {
            carrier.join();
        }
        BOOST_TEST(alive == 0);
    }
    BOOST_TEST(seen == 20 * 3 * 20);
}

BOOST_AUTO_TEST_SUITE_END()
