// SPDX-License-Identifier: BSL-1.0
#include "core/wait_timer.hpp"

#include "core/scheduler.hpp"
#include "support/fiber_test.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

using coir::fiber;
using coir::detail::scheduler;
using coir::detail::wait_timer;
using coir::detail::wait_timer_store;
using coir::test::elapsed;
using namespace std::chrono_literals;

namespace {

// All that there is room for, until it goes.
class everything {
public:
    explicit everything(wait_timer_store& store) : store_(store) {
        while (wait_timer* const one = store.take(scheduler::current()->running())) {
            taken_.push_back(one);
        }
    }
    everything(const everything&) = delete;
    everything& operator=(const everything&) = delete;
    ~everything() {
        for (wait_timer* const one : taken_) {
            store_.put_back(*one);
        }
    }
    std::size_t size() const { return taken_.size(); }
    std::set<wait_timer*> addresses() const { return {taken_.begin(), taken_.end()}; }

private:
    wait_timer_store& store_;
    std::vector<wait_timer*> taken_;
};

template <class F>
void run_in(coir::test::fiber_world& world, F body) {
    world.run(body);
}

// More sleepers than are fired at once, or in a row, are due together. They say who woke when.
std::vector<int> wakes_of_many_that_are_late(coir::test::fiber_world& world) {
    std::vector<int> woken;
    std::vector<fiber> fibers;
    for (int i = 0; i < 1000; ++i) {
        fibers.emplace_back([&woken, i] {
            coir::this_fiber::sleep_until(coir::detail::virtual_clock::start + 1ms +
                                          std::chrono::nanoseconds(i));
            woken.push_back(i);
        });
    }
    coir::this_fiber::yield();
    world.time().advance_by(1s);
    for (fiber& f : fibers) {
        f.join();
    }
    return woken;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wait_timers)

FIBER_TEST_CASE(there_is_room_for_as_many_as_were_provided_for) {
    wait_timer_store store;
    const std::size_t before = everything(store).size();
    BOOST_TEST(before > 0u);
    for (const std::size_t wanted : {before + 1, 10'000 + before, 300'000 + before}) {
        for (std::size_t room = 0; room < wanted; room += 1000) {
            store.provide_for(room);
        }
        store.provide_for(wanted);
        const everything all(store);
        BOOST_TEST(all.size() >= wanted);
        BOOST_TEST(all.addresses().size() == all.size());
    }
}

FIBER_TEST_CASE(the_last_that_was_put_back_is_the_first_to_be_taken_again) {
    wait_timer_store store;
    wait_timer* const first = store.take(scheduler::current()->running());
    wait_timer* const second = store.take(scheduler::current()->running());
    store.put_back(*first);
    store.put_back(*second);
    BOOST_TEST(store.take(scheduler::current()->running()) == second);
    BOOST_TEST(store.take(scheduler::current()->running()) == first);
    store.put_back(*first);
    store.put_back(*second);
}

FIBER_TEST_CASE(where_there_is_no_room_a_wait_has_its_timer_with_it) {
    std::string trace;
    fiber other([&] {
        coir::this_fiber::sleep_for(1ms);
        trace += 'b';
        coir::this_fiber::sleep_for(2ms);
        trace += 'd';
    });
    coir::this_fiber::yield();
    const everything all(scheduler::current()->wait_timers());
    coir::this_fiber::sleep_for(2ms);
    trace += 'c';
    BOOST_TEST((elapsed() == 2ms));
    other.join();
    BOOST_TEST((elapsed() == 3ms));
    BOOST_TEST(trace == "bcd");
}

BOOST_AUTO_TEST_CASE(many_that_are_late_wake_in_order) {
    coir::test::fiber_world world;
    run_in(world, [&] {
        const std::vector<int> woken = wakes_of_many_that_are_late(world);
        BOOST_TEST(woken.size() == 1000u);
        BOOST_TEST(std::is_sorted(woken.begin(), woken.end()));
    });
}

BOOST_AUTO_TEST_CASE(many_that_are_late_wake_in_order_among_others_that_never_wait) {
    coir::test::fiber_world world;
    run_in(world, [&] {
        bool stop = false;
        long turns = 0;
        fiber busy([&] {
            while (!stop) {
                coir::this_fiber::yield();
                ++turns;
            }
        });
        const std::vector<int> woken = wakes_of_many_that_are_late(world);
        stop = true;
        busy.join();
        BOOST_TEST(woken.size() == 1000u);
        BOOST_TEST(std::is_sorted(woken.begin(), woken.end()));
        BOOST_TEST(turns < 10'000);
    });
}

BOOST_AUTO_TEST_CASE(deadlines_that_are_within_the_slack_share_a_wake_up) {
    scheduler::settings chosen;
    chosen.timer_slack = 50us;
    coir::test::fiber_world world(chosen);
    run_in(world, [&] {
        std::vector<fiber> fibers;
        for (const auto nap : {100us, 130us, 160us}) {
            fibers.emplace_back([nap] {
                coir::this_fiber::sleep_for(nap);
                BOOST_TEST((elapsed() == std::max(nap, std::chrono::microseconds(130))));
            });
        }
        for (fiber& f : fibers) {
            f.join();
        }
        BOOST_TEST(world.idle().jumps() == 2u);
    });
}

BOOST_AUTO_TEST_SUITE_END()
