// SPDX-License-Identifier: BSL-1.0
// Fibers that begin at once (fiber_options::eager), where there are several carriers.
#include <coir/carrier.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>
#include <thread>

using coir::fiber;
using coir::fiber_options;
using coir::run;

namespace {

constexpr int carrier_count = 3;

coir::run_options several() {
    coir::run_options options;
    options.threads = carrier_count;
    return options;
}

fiber_options eager() { return fiber_options("eager").eagerly(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(eager_fibers_on_several_carriers)

BOOST_AUTO_TEST_CASE(one_begins_at_once_on_the_carrier_of_its_spawner) {
    run(several(), [] {
        for (int carrier = 0; carrier < carrier_count; ++carrier) {
            int began_on = -1;
            coir::spawn_on(carrier, [&] {
                fiber f(eager(), [&] { began_on = coir::this_carrier::number(); });
                BOOST_TEST(began_on == carrier);
                f.join();
            }).join();
        }
    });
}

BOOST_AUTO_TEST_CASE(one_that_is_named_another_carrier_runs_there) {
    run(several(), [] {
        for (int carrier = 0; carrier < carrier_count; ++carrier) {
            std::atomic<int> began_on{-1};
            fiber f(eager().on(carrier), [&] { began_on = coir::this_carrier::number(); });
            f.join();
            BOOST_TEST(began_on == carrier);
        }
    });
}

BOOST_AUTO_TEST_CASE(one_that_is_spawned_into_a_group_of_another_carrier_is_awaited_by_it) {
    run(several(), [] {
        std::atomic<int> ran{0};
        coir::task_group group;
        coir::spawn_on(1, [&] {
            for (int i = 0; i < 100; ++i) {
                group.spawn(eager(), [&] {
                    coir::this_fiber::yield();
                    ++ran;
                });
            }
        }).join();
        group.join();
        BOOST_TEST(ran == 100);
    });
}

// Nobody can steal what waits to be started here, as the other carrier is busy.
BOOST_AUTO_TEST_CASE(many_in_a_row_do_not_keep_out_those_that_wait_to_be_started) {
    coir::run_options two;
    two.threads = 2;
    run(two, [] {
        std::atomic<bool> busy{false};
        std::atomic<bool> stop{false};
        fiber computes = coir::spawn_on(1, [&] {
            busy = true;
            while (!stop) {
                std::this_thread::yield();
            }
        });
        while (!busy) {
            coir::this_fiber::yield();
        }
        for (const bool with_a_yield : {false, true}) {
            bool ran = false;
            fiber unstarted([&] { ran = true; });
            int spawns = 0;
            for (; !ran && spawns < 20'000; ++spawns) {
                fiber(eager(), [] {}).detach();
                if (with_a_yield) {
                    fiber(eager(), [] { coir::this_fiber::yield(); }).detach();
                }
            }
            BOOST_TEST(ran);
            BOOST_TEST(spawns < 1000);
            unstarted.join();
        }
        stop = true;
        computes.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
