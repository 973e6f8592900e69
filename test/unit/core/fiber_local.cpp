// SPDX-License-Identifier: BSL-1.0
#include <coir/fiber_local.hpp>

#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

using coir::fiber;
using coir::fiber_local;
using coir::test::elapsed;
using coir::test::run_in_fiber_world;
using coir::this_fiber::sleep_for;
using coir::this_fiber::yield;
using namespace std::chrono_literals;

namespace {

// Writes down its end.
struct mourned {
    mourned(std::string& t, char n) : trace(t), name(n) {}
    mourned(const mourned&) = delete;
    mourned& operator=(const mourned&) = delete;
    ~mourned() { trace += name; }
    std::string& trace;
    char name;
};

fiber_local<std::unique_ptr<mourned>> first;
fiber_local<std::unique_ptr<mourned>> second;
fiber_local<int> number;

// Does what it is told to at its end.
struct at_end {
    std::function<void()> action;
    ~at_end() {
        if (action) {
            action();
        }
    }
};
fiber_local<at_end> last_act;

}  // namespace

BOOST_AUTO_TEST_SUITE(fiber_locals)

FIBER_TEST_CASE(each_fiber_has_its_own_value) {
    number.get() = 1;
    fiber a([] {
        BOOST_TEST(*number == 0);
        *number = 2;
        yield();
        BOOST_TEST(*number == 2);
    });
    fiber b([] {
        *number = 3;
        yield();
        BOOST_TEST(*number == 3);
    });
    a.join();
    b.join();
    BOOST_TEST(*number == 1);
}

// A fiber that moves in on the stack of one that has ended inherits nothing from it.
FIBER_TEST_CASE(a_value_ends_with_its_fiber) {
    for (int i = 0; i < 3; ++i) {
        fiber([] { BOOST_TEST(++*number == 1); }).join();
    }
}

FIBER_TEST_CASE(a_value_is_made_by_the_first_use_and_not_before) {
    int made = 0;
    const fiber_local<int> counted([&] { return ++made; });
    BOOST_TEST(counted.find() == nullptr);
    BOOST_TEST(made == 0);
    BOOST_TEST(counted.get() == 1);
    BOOST_TEST(counted.get() == 1);
    BOOST_TEST(counted.find() == &counted.get());
    fiber([&] { BOOST_TEST(counted.get() == 2); }).join();
    BOOST_TEST(made == 2);
}

FIBER_TEST_CASE(what_has_no_default_is_made_by_the_factory) {
    struct named {
        explicit named(std::string n) : name(std::move(n)) {}
        std::string name;
    };
    const fiber_local<named> variable([] { return named(coir::this_fiber::name()); });
    fiber({"worker"}, [&] { BOOST_TEST(variable->name == "worker"); }).join();
    BOOST_TEST(variable->name == "main");
}

FIBER_TEST_CASE(a_factory_that_throws_leaves_nothing_and_is_asked_again) {
    int calls = 0;
    const fiber_local<int> variable([&] {
        if (++calls == 1) {
            throw std::runtime_error("not yet");
        }
        return 7;
    });
    BOOST_CHECK_THROW(variable.get(), std::runtime_error);
    BOOST_TEST(variable.find() == nullptr);
    BOOST_TEST(variable.get() == 7);
}

FIBER_TEST_CASE(a_factory_may_wait_and_use_other_variables) {
    const fiber_local<int> base([] {
        sleep_for(1ms);
        return 3;
    });
    const fiber_local<int> derived([&] { return *base + 1; });
    fiber a([&] { BOOST_TEST(*derived == 4); });
    fiber b([&] { BOOST_TEST(*derived == 4); });
    a.join();
    b.join();
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(values_are_destroyed_newest_first_after_the_callable) {
    std::string trace;
    fiber([&trace, callable = std::make_unique<mourned>(trace, 'c')] {
        *first = std::make_unique<mourned>(trace, '1');
        *second = std::make_unique<mourned>(trace, '2');
        static_cast<void>(first.get());  // a use does not make it newer
        trace += 'x';
    }).join();
    BOOST_TEST(trace == "xc21");
}

FIBER_TEST_CASE(values_are_destroyed_however_the_fiber_ends) {
    std::string trace;
    fiber failed([&] {
        *first = std::make_unique<mourned>(trace, 'f');
        throw std::runtime_error("x");
    });
    BOOST_CHECK_THROW(failed.join(), std::runtime_error);
    fiber cancelled([&] {
        *first = std::make_unique<mourned>(trace, 'c');
        sleep_for(1h);
    });
    yield();
    cancelled.cancel();
    cancelled.join();
    BOOST_TEST(trace == "fc");
}

FIBER_TEST_CASE(a_destructor_runs_on_the_fiber_and_may_wait) {
    const auto waits = [] {
        last_act->action = [] {
            BOOST_TEST(coir::this_fiber::name() == "waiting");
            sleep_for(5ms);
        };
    };
    fiber a({"waiting"}, waits);
    fiber b({"waiting"}, waits);
    a.join();
    b.join();
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(a_destructor_of_a_cancelled_fiber_waits_in_a_shield) {
    fiber f([] {
        last_act->action = [] {
            BOOST_CHECK_THROW(yield(), coir::operation_cancelled);
            coir::shield([] { sleep_for(5ms); });
        };
        sleep_for(1h);
    });
    yield();
    f.cancel();
    f.join();
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(a_destructor_may_use_variables_whose_values_then_go_last) {
    std::string trace;
    fiber([&] {
        *first = std::make_unique<mourned>(trace, '1');
        last_act->action = [&] {
            *second = std::make_unique<mourned>(trace, '2');
        };
    }).join();
    BOOST_TEST(trace == "21");
}

FIBER_TEST_CASE(reset_destroys_the_value_and_the_next_use_makes_another) {
    std::string trace;
    *first = std::make_unique<mourned>(trace, '1');
    *second = std::make_unique<mourned>(trace, '2');
    first.reset();
    BOOST_TEST(trace == "1");
    BOOST_TEST(first.find() == nullptr);
    BOOST_TEST((first.get() == nullptr));
    first.reset();
    first.reset();
    second.reset();
    BOOST_TEST(trace == "12");
}

// The values stay until their fibers end, and no later variable is mistaken for the one that went.
FIBER_TEST_CASE(a_variable_may_go_before_its_values) {
    std::string trace;
    fiber f([&] {
        {
            const fiber_local<std::unique_ptr<mourned>> passing;
            *passing = std::make_unique<mourned>(trace, 'p');
        }
        const fiber_local<std::unique_ptr<mourned>> another;
        BOOST_TEST(another.find() == nullptr);
        trace += 'x';
    });
    f.join();
    BOOST_TEST(trace == "xp");
}

BOOST_AUTO_TEST_CASE(the_main_fiber_s_values_end_before_the_fibers_that_it_left_running) {
    std::string trace;
    run_in_fiber_world([&] {
        *first = std::make_unique<mourned>(trace, 'm');
        fiber([&] {
            *first = std::make_unique<mourned>(trace, 'o');
            sleep_for(1h);
        }).detach();
        yield();
    });
    BOOST_TEST(trace == "mo");
}

BOOST_AUTO_TEST_CASE(a_plain_thread_has_values_of_its_own_that_end_with_it) {
    std::string trace;
    *number = 5;
    std::thread([&] {
        *number = 6;
        *first = std::make_unique<mourned>(trace, '1');
        *second = std::make_unique<mourned>(trace, '2');
        last_act->action = [] {
            sleep_for(1us);
        };  // blocks the thread
        run_in_fiber_world([] {
            if (*number != 0) {
                throw std::logic_error("the main fiber shares its thread's value");
            }
            *number = 7;
        });
        if (*number != 6) {
            throw std::logic_error("the thread shares its main fiber's value");
        }
    }).join();
    BOOST_TEST(trace == "21");
    BOOST_TEST(*number == 5);
}

BOOST_AUTO_TEST_SUITE_END()
