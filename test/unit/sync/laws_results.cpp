// SPDX-License-Identifier: BSL-1.0
// Goal: whatever the order of results, broken promises, deadlines and cancellations, a result is
// seen by all who wait for it and by nobody before; and of a queue no item is lost or had twice,
// not even when it is shut down. Method: as in laws_locks.cpp.
#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "unit/sync/laws.hpp"

#include <coir/async.hpp>
#include <coir/sync/queue.hpp>

#include <boost/test/unit_test.hpp>

#include <future>
#include <memory>
#include <optional>
#include <set>

using coir::test::counted;
using coir::test::random_world;
using coir::test::run_with_seeds;

namespace {

// A result to come, and what is known of it.
struct expected_result {
    explicit expected_result(int n) : number(n), promise(std::in_place) {
        result = promise->get_future().share();
    }

    const int number;
    std::optional<coir::promise<int>> promise;
    coir::shared_future<int> result;
    bool kept = false;
    bool broken = false;
    int waiting = 0;
};

// What the calls on a queue have done.
struct accounts {
    std::set<int> put;
    std::set<int> got;
    int putting = 0;
    int getting = 0;
    bool refused = false;
};

// True unless the queue, still open, had no room or no item in time.
bool use_queue(coir::queue<int>& queue, accounts& seen, random_world& world, int item) {
    try {
        if (world.pick(2) == 0) {
            const counted here(seen.putting);
            if (!queue.put_until(item, world.some_deadline())) {
                return false;
            }
            BOOST_TEST(!seen.refused);
            seen.put.insert(item);
            return true;
        }
        std::optional<int> got;
        {
            const counted here(seen.getting);
            got = queue.get_until(world.some_deadline());
        }
        if (!got) {
            return false;
        }
        BOOST_TEST(seen.got.insert(*got).second);
        coir::shield([&] { coir::this_fiber::sleep_for(world.moment(2)); });
        queue.task_done();
        return true;
    } catch (const coir::queue_shut_down&) {
        BOOST_TEST(seen.refused);
        return true;
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(result_laws)

BOOST_AUTO_TEST_CASE(a_result_is_seen_by_all_who_wait_and_by_nobody_before) {
    const coir::test::captured_log log;  // broken promises that nobody has waited for
    run_with_seeds([](random_world& world) {
        int number = 0;
        auto current = std::make_shared<expected_result>(number);
        world.live(
            8, 30,
            [&] {
                const auto mine = current;
                const coir::shared_future<int> result = mine->result;
                {
                    const counted here(mine->waiting);
                    if (result.wait_until(world.some_deadline()) != std::future_status::ready) {
                        return false;
                    }
                }
                BOOST_TEST(mine->kept != mine->broken);
                coir::shield([&] {
                    if (mine->kept) {
                        BOOST_TEST(result.get() == mine->number);
                    } else {
                        BOOST_CHECK_THROW(result.get(), std::future_error);
                    }
                });
                return true;
            },
            [&] {
                const auto last = current;
                current = std::make_shared<expected_result>(++number);
                if (world.pick(3) == 0) {
                    last->broken = true;
                    last->promise.reset();
                } else {
                    last->kept = true;
                    last->promise->set_value(last->number);
                }
                for (int i = 0; i < 16; ++i) {
                    coir::this_fiber::yield();
                }
                BOOST_TEST(last->waiting == 0);
            });
        BOOST_TEST(world.seen.timed_out > 0);
    });
}

BOOST_AUTO_TEST_CASE(no_item_of_a_queue_is_lost_or_had_twice_though_it_is_shut_down) {
    run_with_seeds([](random_world& world) {
        coir::queue<int> queue(2);
        accounts seen;
        int next_item = 0;
        int stirs = 0;
        const int open_for = 20 + world.pick(60);
        world.live(
            8, 40, [&] { return use_queue(queue, seen, world, next_item++); },
            [&] {
                if (++stirs == open_for) {
                    seen.refused = true;
                    queue.shut_down();
                    for (int i = 0; i < 16; ++i) {
                        coir::this_fiber::yield();
                    }
                    BOOST_TEST(seen.putting + seen.getting == 0);
                } else if (!seen.refused) {
                    BOOST_TEST((seen.putting == 0 || queue.full()));
                    BOOST_TEST((seen.getting == 0 || queue.empty()));
                }
            });
        while (!queue.empty()) {
            BOOST_TEST(seen.got.insert(*queue.try_get()).second);
            queue.task_done();
        }
        BOOST_TEST(seen.got == seen.put, boost::test_tools::per_element());
        queue.join();
        BOOST_TEST(world.seen.timed_out > 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()
