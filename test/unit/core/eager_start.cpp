// SPDX-License-Identifier: BSL-1.0
// Fibers that begin at once (fiber_options::eager): who runs when, what becomes of their failures,
// and that they keep nobody out.
#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "support/system_calls.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/fiber_local.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/mman.h>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

using coir::fiber;
using coir::fiber_options;
using coir::detail::scheduler;
using coir::test::fiber_world;
using std::chrono::hours;
using std::chrono::milliseconds;

// Some multiple of the 128 switches between two looks at the poller; see scheduler_fairness.
constexpr int bound = 1000;

fiber_options eager() { return fiber_options("eager").eagerly(); }

void nest(int depth, int& deepest) {
    deepest = depth;
    if (depth < 2000) {
        fiber inner(eager(), nest, depth + 1, std::ref(deepest));
        inner.join();
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(eager_start)

FIBER_TEST_CASE(an_eager_fiber_runs_before_its_spawner_goes_on) {
    std::string trace;
    fiber f(eager(), [&] { trace += 'f'; });
    trace += 'm';
    BOOST_TEST(trace == "fm");
    f.join();
}

FIBER_TEST_CASE(its_spawner_goes_on_when_it_first_waits) {
    std::string trace;
    coir::wait_queue queue;
    fiber f(eager(), [&] {
        trace += 'f';
        queue.park();
        trace += 'g';
    });
    trace += 'm';
    queue.unpark_one();
    f.join();
    BOOST_TEST(trace == "fmg");
}

FIBER_TEST_CASE(its_spawner_goes_on_when_it_yields) {
    std::string trace;
    fiber f(eager(), [&] {
        trace += 'f';
        coir::this_fiber::yield();
        trace += 'g';
    });
    trace += 'm';
    f.join();
    BOOST_TEST(trace == "fmg");
}

FIBER_TEST_CASE(its_spawner_comes_before_all_who_were_ready) {
    std::string trace;
    fiber before([&] { trace += 'b'; });
    fiber f(eager(), [&] {
        trace += 'f';
        coir::this_fiber::yield();
        trace += 'g';
    });
    trace += 'm';
    coir::this_fiber::yield();
    BOOST_TEST(trace == "fmbg");
    before.join();
    f.join();
}

FIBER_TEST_CASE(nested_ones_return_to_their_spawners_from_the_inside_out) {
    std::string trace;
    fiber other([&] { trace += 'o'; });
    fiber outer(eager(), [&] {
        fiber inner(eager(), [&] {
            trace += '1';
            coir::this_fiber::yield();
        });
        trace += '2';
        inner.join();
    });
    trace += '3';
    outer.join();
    BOOST_TEST(trace == "123o");
    other.join();
}

FIBER_TEST_CASE(each_has_a_stack_of_its_own_so_they_nest_deep) {
    int deepest = 0;
    nest(0, deepest);
    BOOST_TEST(deepest == 2000);
}

FIBER_TEST_CASE(what_escapes_before_the_first_wait_comes_out_of_join_and_not_of_the_spawn) {
    fiber f;
    BOOST_CHECK_NO_THROW(f = fiber(eager(), [] { throw std::runtime_error("at once"); }));
    BOOST_CHECK_THROW(f.join(), std::runtime_error);
}

FIBER_TEST_CASE(what_escapes_one_that_is_detached_is_logged) {
    const coir::test::captured_log log;
    fiber(eager(), [] { throw std::runtime_error("at once"); }).detach();
    BOOST_TEST(log.has("at once"));
    BOOST_TEST(log.has("eager"));
}

FIBER_TEST_CASE(a_cancelled_spawner_still_spawns) {
    bool ran = false;
    coir::cancel_scope scope;
    const bool completed = scope.run([&] {
        scope.cancel();
        fiber(eager(), [&] { ran = true; }).detach();
        BOOST_TEST(ran);
        coir::this_fiber::yield();
    });
    BOOST_TEST(!completed);
}

FIBER_TEST_CASE(a_spawn_inside_a_handler_leaves_the_exception_and_errno_as_they_were) {
    try {
        throw std::runtime_error("of the spawner");
    } catch (const std::runtime_error&) {
        errno = ENOENT;
        fiber f(eager(), [] {
            BOOST_TEST(!std::current_exception());
            try {
                throw std::logic_error("of the fiber");
            } catch (const std::logic_error&) {
                errno = EBADF;
                coir::this_fiber::yield();
            }
        });
        BOOST_TEST(errno == ENOENT);
        BOOST_CHECK_THROW(std::rethrow_exception(std::current_exception()), std::runtime_error);
        f.join();
    }
}

FIBER_TEST_CASE(it_inherits_from_its_spawner) {
    static const coir::inherited<int> level(0);
    level.with(3, [] {
        int seen = 0;
        fiber f(eager(), [&] { seen = level.get(); });
        BOOST_TEST(seen == 3);
        f.join();
    });
}

FIBER_TEST_CASE(many_in_a_row_run_on_one_warm_stack) {
    const std::size_t before = scheduler::current()->stacks().mapped_bytes();
    for (int i = 0; i < 10 * bound; ++i) {
        fiber f(eager(), [] {});
        f.join();
    }
    BOOST_TEST(scheduler::current()->stacks().mapped_bytes() == before);
}

FIBER_TEST_CASE(many_in_a_row_do_not_starve_a_ready_fiber) {
    bool ran = false;
    fiber other([&] { ran = true; });
    int spawns = 0;
    for (; !ran && spawns < 20 * bound; ++spawns) {
        fiber(eager(), [] {}).detach();
    }
    BOOST_TEST(ran);
    BOOST_TEST(spawns < bound);
    BOOST_TEST(spawns > 10);
}

FIBER_TEST_CASE(many_that_yield_do_not_starve_a_ready_fiber) {
    bool ran = false;
    bool stop = false;
    fiber other([&] { ran = true; });
    std::vector<fiber> many;  // joined before what they look at is gone
    int spawns = 0;
    for (; !ran && spawns < 20 * bound; ++spawns) {
        many.emplace_back(eager(), [&] {
            while (!stop) {
                coir::this_fiber::yield();
            }
        });
    }
    stop = true;
    BOOST_TEST(ran);
    BOOST_TEST(spawns < bound);
}

// Each spawner on the way down stands before the ready fiber; all of them have to make way.
FIBER_TEST_CASE(a_deep_chain_does_not_starve_a_ready_fiber) {
    bool ran = false;
    int spawns = 0;
    struct tree {
        static void grow(const bool& stop, int& spawns, int depth) {
            for (int i = 0; i < 10 && depth > 0 && !stop; ++i) {
                ++spawns;
                fiber child(eager(), [&stop, &spawns, depth] { grow(stop, spawns, depth - 1); });
                child.join();
            }
        }
    };
    fiber other([&] { ran = true; });
    tree::grow(ran, spawns, 6);
    BOOST_TEST(ran);
    BOOST_TEST(spawns < bound);
}

BOOST_AUTO_TEST_CASE(many_in_a_row_do_not_starve_a_timer) {
    fiber_world world;
    auto body = [&] {
        bool rung = false;
        fiber sleeper([&] {
            coir::this_fiber::sleep_for(milliseconds(5));
            rung = true;
        });
        int spawns = 0;
        for (; !rung && spawns < 20 * bound; ++spawns) {
            fiber(eager(), [] {}).detach();
            world.time().advance_by(milliseconds(1));
        }
        BOOST_TEST(rung);
        BOOST_TEST(spawns < bound);
    };
    world.run(body);
}

BOOST_AUTO_TEST_CASE(one_for_which_there_is_no_stack_fails_as_ever_and_its_spawner_goes_on) {
    fiber_world world;
    auto body = [] {
        // Mappings that are as large as stacks are.
        const coir::test::replace_system_call<&coir::detail::system_calls::mmap> guard(
            [](void*, std::size_t, int, int, int, off_t) -> void* {
                errno = ENOMEM;
                return MAP_FAILED;
            });
        bool began = false;
        fiber unlucky(fiber_options("unlucky", 1024 * 1024).eagerly(), [&] { began = true; });
        BOOST_CHECK_THROW(unlucky.join(), std::system_error);
        BOOST_TEST(!began);
    };
    world.run(body);
}

BOOST_AUTO_TEST_CASE(a_fiber_on_a_plain_thread_cannot_be_spawned_eagerly_either) {
    BOOST_CHECK_EXCEPTION(fiber(eager(), [] {}), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::operation_not_permitted;
    });
}

BOOST_AUTO_TEST_SUITE_END()
