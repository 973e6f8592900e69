// SPDX-License-Identifier: BSL-1.0
// What is ready must not keep out what becomes ready. "Bounded" is some multiple of the 128
// switches that the scheduler allows between two looks at the poller; the tests ask for no exact
// number.
#include "support/fiber_test.hpp"

#include "core/waiter.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>

namespace {

using coir::fiber;
using coir::detail::scheduler;
using std::chrono::milliseconds;

constexpr int bound = 1000;

// Each look at it takes a millisecond, and at each it has something to deliver.
class eventful_idle_source final : public coir::detail::idle_source {
public:
    explicit eventful_idle_source(coir::detail::virtual_clock& time) noexcept : time_(time) {}

    void wait(coir::deadline) noexcept override {
        ++looks;
        time_.advance_by(milliseconds(1));
        on_look.unpark_one();
    }
    void wake() noexcept override {}

    int looks = 0;
    coir::wait_queue on_look;

private:
    coir::detail::virtual_clock& time_;
};

struct eventful_world {
    eventful_world() : current(time), idle(time), fibers({}, idle) {}

    template <class F>
    void run(F body) {
        fibers.run_main(body);
    }

    coir::detail::virtual_clock time;
    const coir::detail::clock_scope current;
    eventful_idle_source idle;
    scheduler fibers;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(scheduler_fairness)

BOOST_AUTO_TEST_CASE(a_fiber_that_yields_for_ever_does_not_starve_a_timer) {
    eventful_world world;
    world.run([] {
        bool rung = false;
        fiber sleeper([&] {
            coir::this_fiber::sleep_for(milliseconds(5));
            rung = true;
        });
        int turns = 0;
        for (; !rung && turns < 20 * bound; ++turns) {
            coir::this_fiber::yield();
        }
        BOOST_TEST(rung);
        BOOST_TEST(turns < 10 * bound);
    });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_yields_for_ever_does_not_starve_events) {
    eventful_world world;
    world.run([&] {
        int events = 0;
        fiber waiting([&] {
            for (; events < 5; ++events) {
                world.idle.on_look.park();
            }
        });
        int turns = 0;
        for (; events < 5 && turns < 20 * bound; ++turns) {
            coir::this_fiber::yield();
        }
        BOOST_TEST(events == 5);
        BOOST_TEST(turns < 5 * bound);
    });
}

BOOST_AUTO_TEST_CASE(calls_that_need_not_wait_do_not_starve_a_ready_fiber) {
    eventful_world world;
    world.run([] {
        bool ran = false;
        fiber other([&] { ran = true; });
        int calls = 0;
        for (; !ran && calls < 20 * bound; ++calls) {
            coir::detail::spend_budget();
        }
        BOOST_TEST(ran);
        BOOST_TEST(calls < bound);
    });
}

BOOST_AUTO_TEST_CASE(calls_that_need_not_wait_do_not_switch_each_time) {
    eventful_world world;
    world.run([] {
        int turns = 0;
        bool stop = false;
        fiber other([&] {
            while (!stop) {
                coir::this_fiber::yield();
                ++turns;
            }
        });
        coir::this_fiber::yield();
        turns = 0;
        for (int i = 0; i < 64; ++i) {
            coir::detail::spend_budget();
        }
        BOOST_TEST(turns <= 1);
        stop = true;
        other.join();
    });
}

BOOST_AUTO_TEST_CASE(calls_that_need_not_wait_do_not_starve_a_timer) {
    eventful_world world;
    world.run([] {
        bool rung = false;
        fiber sleeper([&] {
            coir::this_fiber::sleep_for(milliseconds(3));
            rung = true;
        });
        int calls = 0;
        for (; !rung && calls < 20 * bound; ++calls) {
            coir::detail::spend_budget();
        }
        BOOST_TEST(rung);
        BOOST_TEST(calls < 5 * bound);
    });
}

BOOST_AUTO_TEST_CASE(sleeps_until_the_past_do_not_starve_a_ready_fiber) {
    eventful_world world;
    world.run([] {
        bool ran = false;
        fiber other([&] { ran = true; });
        int calls = 0;
        for (; !ran && calls < 20 * bound; ++calls) {
            coir::this_fiber::sleep_until(coir::deadline::immediately());
        }
        BOOST_TEST(ran);
        BOOST_TEST(calls < bound);
    });
}

BOOST_AUTO_TEST_CASE(a_ping_pong_of_two_fibers_does_not_starve_timers_and_events) {
    eventful_world world;
    world.run([&] {
        bool stop = false;
        coir::wait_queue ping;
        coir::wait_queue pong;
        long rounds = 0;
        fiber a([&] {
            while (!stop && rounds < 100 * bound) {
                pong.unpark_one();
                ping.park();
                ++rounds;
            }
            pong.unpark_one();
        });
        fiber b([&] {
            while (!stop && rounds < 100 * bound) {
                ping.unpark_one();
                pong.park();
            }
            ping.unpark_one();
        });
        fiber on_event([&] { world.idle.on_look.park(); });
        coir::this_fiber::sleep_for(milliseconds(3));
        on_event.join();
        stop = true;
        BOOST_TEST(rounds < 10 * bound);
        a.join();
        b.join();
    });
}

BOOST_AUTO_TEST_CASE(a_burst_of_unstarted_fibers_does_not_keep_the_poller_out) {
    eventful_world world;
    world.run([&] {
        int started = 0;
        int looks_after_some = 0;
        std::deque<fiber> burst;
        for (int i = 0; i < 2 * bound; ++i) {
            burst.emplace_back([&] {
                if (++started == bound) {
                    looks_after_some = world.idle.looks;
                }
            });
        }
        for (fiber& f : burst) {
            f.join();
        }
        BOOST_TEST(looks_after_some >= 1);
    });
}

BOOST_AUTO_TEST_CASE(the_poller_is_not_asked_on_every_switch) {
    eventful_world world;
    world.run([&] {
        fiber other([] {
            for (int i = 0; i < 500; ++i) {
                coir::this_fiber::yield();
            }
        });
        for (int i = 0; i < 500; ++i) {
            coir::this_fiber::yield();
        }
        BOOST_TEST(world.idle.looks >= 1);
        BOOST_TEST(world.idle.looks < 50);
        other.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
