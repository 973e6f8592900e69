// SPDX-License-Identifier: BSL-1.0
// Who runs when, and on which stack.
#include "support/fiber_test.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using coir::fiber;
using coir::detail::scheduler;

// Which stack the caller runs on; fibers' stacks lie at least 16 KiB apart.
std::uintptr_t stack_top() {
    return reinterpret_cast<std::uintptr_t>(
        scheduler::current()->running().context.current_stack().top);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scheduler_order)

FIBER_TEST_CASE(a_spawned_fiber_runs_once_the_spawner_waits) {
    std::string trace;
    fiber f([&] { trace += "f"; });
    trace += "m";
    f.join();
    BOOST_TEST(trace == "mf");
}

FIBER_TEST_CASE(fibers_start_in_the_order_in_which_they_were_spawned) {
    std::string trace;
    fiber a([&] { trace += "a"; });
    fiber b([&] { trace += "b"; });
    fiber c([&] { trace += "c"; });
    c.join();
    BOOST_TEST(trace == "abc");
    a.join();
    b.join();
}

FIBER_TEST_CASE(yield_lets_every_ready_fiber_run_once) {
    std::string trace;
    const auto three_times = [&](char name) {
        for (int i = 0; i < 3; ++i) {
            trace += name;
            coir::this_fiber::yield();
        }
    };
    fiber a(three_times, 'a');
    fiber b(three_times, 'b');
    for (int i = 0; i < 3; ++i) {
        trace += 'm';
        coir::this_fiber::yield();
    }
    BOOST_TEST(trace == "mabmabmab");
    a.join();
    b.join();
}

FIBER_TEST_CASE(yield_of_the_only_fiber_goes_on) {
    coir::this_fiber::yield();
    coir::this_fiber::yield();
}

FIBER_TEST_CASE(fibers_that_were_unparked_run_in_the_order_of_unparking) {
    std::string trace;
    coir::wait_queue first;
    coir::wait_queue second;
    fiber a([&] {
        first.park();
        trace += 'a';
    });
    fiber b([&] {
        second.park();
        trace += 'b';
    });
    coir::this_fiber::yield();
    second.unpark_one();
    first.unpark_one();
    a.join();
    b.join();
    BOOST_TEST(trace == "ba");
}

FIBER_TEST_CASE(unpark_does_not_switch) {
    std::string trace;
    coir::wait_queue queue;
    fiber a([&] {
        queue.park();
        trace += 'a';
    });
    coir::this_fiber::yield();
    queue.unpark_one();
    trace += 'm';
    a.join();
    BOOST_TEST(trace == "ma");
}

// The sleeper waits in the idle source on its own stack: were there a loop context of its own, the
// running fiber would be another while the clock jumps.
BOOST_AUTO_TEST_CASE(a_parked_fiber_that_becomes_ready_itself_goes_on_without_a_switch) {
    struct recording_idle_source final : coir::detail::idle_source {
        explicit recording_idle_source(coir::detail::virtual_clock& t) : time(t) {}
        void wait(coir::deadline until) noexcept override {
            running = &scheduler::current()->running();
            char here = 0;
            stack_position = reinterpret_cast<std::uintptr_t>(&here);
            if (until != coir::deadline::immediately()) {
                time.advance_to(until.time());
            }
        }
        void wake() noexcept override {}
        coir::detail::virtual_clock& time;
        const coir::detail::fiber_control* running = nullptr;
        std::uintptr_t stack_position = 0;
    };
    coir::detail::virtual_clock time;
    const coir::detail::clock_scope current(time);
    recording_idle_source idle(time);
    scheduler fibers({}, idle);
    auto body = [&] {
        fiber sleeper([&] {
            char here = 0;
            coir::this_fiber::sleep_for(std::chrono::seconds(1));
            BOOST_TEST(idle.running == &scheduler::current()->running());
            const auto mine = reinterpret_cast<std::uintptr_t>(&here);
            BOOST_TEST((mine > idle.stack_position ? mine - idle.stack_position
                                                   : idle.stack_position - mine) < 64U * 1024U);
        });
        sleeper.join();
    };
    fibers.run_main(body);
}

FIBER_TEST_CASE(a_fiber_that_ends_is_followed_by_an_unstarted_one_on_the_same_stack) {
    std::vector<std::uintptr_t> stacks;
    std::vector<fiber> fibers;
    for (int i = 0; i < 10; ++i) {
        fibers.emplace_back([&] { stacks.push_back(stack_top()); });
    }
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST_REQUIRE(stacks.size() == 10U);
    for (const std::uintptr_t stack : stacks) {
        BOOST_TEST(stack == stacks.front());
    }
}

FIBER_TEST_CASE(an_unstarted_fiber_of_another_stack_size_does_not_move_in) {
    std::uintptr_t small = 0;
    std::uintptr_t large = 0;
    fiber a({"small", 64 * 1024}, [&] { small = stack_top(); });
    fiber b({"large", 512 * 1024}, [&] {
        large = stack_top();
        // Not on the small stack: this frame would run over its end.
        volatile char room[256 * 1024];
        room[0] = 1;
        room[sizeof room - 1] = 1;
    });
    a.join();
    b.join();
    BOOST_TEST(small != large);
}

FIBER_TEST_CASE(an_unstarted_fiber_has_no_stack) {
    const auto& stacks = scheduler::current()->stacks();
    const std::size_t before = stacks.live();
    std::vector<fiber> fibers;
    for (int i = 0; i < 50; ++i) {
        fibers.emplace_back([] {});
    }
    BOOST_TEST(stacks.live() == before);
    for (fiber& f : fibers) {
        f.join();
    }
    BOOST_TEST(stacks.live() + stacks.free() == before + 1);
}

FIBER_TEST_CASE(parked_fibers_keep_their_stacks_apart) {
    coir::wait_queue queue;
    const std::size_t before = scheduler::current()->stacks().live();
    std::vector<fiber> fibers;
    for (int i = 0; i < 20; ++i) {
        fibers.emplace_back([&queue, i] {
            volatile int mine[256];
            for (int k = 0; k < 256; ++k) {
                mine[k] = i;
            }
            queue.park();
            for (int k = 0; k < 256; ++k) {
                BOOST_TEST_REQUIRE(mine[k] == i);
            }
        });
    }
    coir::this_fiber::yield();
    BOOST_TEST(scheduler::current()->stacks().live() == before + 20);
    queue.unpark_all();
    for (fiber& f : fibers) {
        f.join();
    }
}

FIBER_TEST_CASE(a_fiber_may_spawn_fibers) {
    int depth = 0;
    struct nest {
        static void go(int& d) {
            if (++d < 100) {
                fiber inner([&d] { go(d); });
                inner.join();
            }
        }
    };
    fiber outer([&] { nest::go(depth); });
    outer.join();
    BOOST_TEST(depth == 100);
}

FIBER_TEST_CASE(ids_are_unique_and_belong_to_the_fiber) {
    fiber::id seen;
    fiber a([&] { seen = coir::this_fiber::get_id(); });
    fiber b([] {});
    BOOST_TEST((a.get_id() != b.get_id()));
    BOOST_TEST((a.get_id() != coir::this_fiber::get_id()));
    const fiber::id before = a.get_id();
    a.join();
    b.join();
    BOOST_TEST((seen == before));
}

BOOST_AUTO_TEST_SUITE_END()
