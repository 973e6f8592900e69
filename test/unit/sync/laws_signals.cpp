// SPDX-License-Identifier: BSL-1.0
// Goal: whatever the order of releases, deadlines and cancellations, no permit, signal, arrival or
// call is lost or had twice, and nobody waits for what is there. Method: as in laws_locks.cpp.
#include "support/fiber_test.hpp"
#include "unit/sync/laws.hpp"

#include <coir/sync.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <deque>
#include <mutex>
#include <stdexcept>

using coir::event;
using coir::test::counted;
using coir::test::random_world;
using coir::test::run_with_seeds;

namespace {

void semaphore_law(random_world& world, int permits) {
    coir::counting_semaphore<3> semaphore(permits);
    int waiting = 0;
    int taken = 0;
    int next_ticket = 0;
    int last_served = -1;
    world.live(
        8, 40,
        [&] {
            const int ticket = next_ticket++;
            {
                const counted here(waiting);
                if (!semaphore.try_acquire_until(world.some_deadline())) {
                    return false;
                }
            }
            struct release_at_end {
                coir::counting_semaphore<3>& permits;
                int& taken;
                ~release_at_end() {
                    --taken;
                    permits.release();
                }
            } const guard{semaphore, taken};
            BOOST_TEST(++taken <= permits);
            if (permits == 1) {  // else two may have their permits in one order and run in another
                BOOST_TEST(ticket > last_served);
                last_served = ticket;
            }
            coir::this_fiber::sleep_for(world.moment(4));
            return true;
        },
        [&] {
            if (semaphore.try_acquire()) {
                semaphore.release();
                BOOST_TEST(waiting == 0);
            }
        });
    BOOST_TEST(taken == 0);
    for (int i = 0; i < permits; ++i) {
        BOOST_TEST(semaphore.try_acquire());
    }
    BOOST_TEST(!semaphore.try_acquire());
    BOOST_TEST(world.seen.timed_out > 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signal_laws)

BOOST_DATA_TEST_CASE(no_permit_is_lost_or_had_twice, boost::unit_test::data::make({1, 2, 3}),
                     permits) {
    run_with_seeds([&](random_world& world) { semaphore_law(world, permits); });
}

BOOST_AUTO_TEST_CASE(each_setting_of_an_automatic_event_lets_one_pass) {
    run_with_seeds([](random_world& world) {
        event e(event::reset_mode::automatic);
        int waiting = 0;
        int settings = 0;
        world.live(
            8, 30,
            [&] {
                const counted here(waiting);
                return e.wait_until(world.some_deadline());
            },
            [&] {
                BOOST_TEST(!(e.is_set() && waiting > 0));
                settings += e.is_set() ? 0 : 1;
                e.set();
            });
        BOOST_TEST(world.seen.notified + (e.is_set() ? 1 : 0) == settings);
        BOOST_TEST(world.seen.timed_out > 0);
    });
}

BOOST_AUTO_TEST_CASE(who_passes_a_manual_event_has_met_it_set) {
    run_with_seeds([](random_world& world) {
        event e;
        int waiting = 0;
        int settings = 0;
        world.live(
            8, 30,
            [&] {
                const counted here(waiting);
                const int settings_before = settings - (e.is_set() ? 1 : 0);
                const bool passed = e.wait_until(world.some_deadline());
                BOOST_TEST((!passed || settings > settings_before));
                return passed;
            },
            [&] {
                BOOST_TEST(!(e.is_set() && waiting > 0));
                if (e.is_set()) {
                    e.reset();
                } else if (world.pick(3) == 0) {
                    ++settings;
                    e.set();
                }
            });
        BOOST_TEST(world.seen.timed_out > 0);
    });
}

BOOST_AUTO_TEST_CASE(nobody_passes_a_latch_before_it_is_down_nor_waits_after) {
    run_with_seeds([](random_world& world) {
        std::deque<coir::latch> latches;
        latches.emplace_back(3);
        int waiting_for_last = 0;
        world.live(
            8, 30,
            [&] {
                coir::latch& l = latches.back();
                const coir::latch* const mine = &l;
                struct leave {
                    int& waiting;
                    std::deque<coir::latch>& all;
                    const coir::latch* mine;
                    ~leave() { waiting -= mine == &all.back() ? 1 : 0; }
                } const guard{waiting_for_last, latches, mine};
                ++waiting_for_last;
                const bool passed = l.wait_until(world.some_deadline());
                BOOST_TEST((!passed || l.try_wait()));
                return passed;
            },
            [&] {
                if (latches.back().try_wait()) {
                    BOOST_TEST(waiting_for_last == 0);
                    latches.emplace_back(3);
                } else {
                    latches.back().count_down();
                }
            });
        BOOST_TEST(world.seen.timed_out > 0);
    });
}

BOOST_AUTO_TEST_CASE(a_phase_ends_when_all_have_arrived_and_not_before) {
    run_with_seeds([](random_world& world) {
        constexpr int participants = 3;
        int completions = 0;
        auto complete = [&]() noexcept {
            ++completions;
        };
        coir::barrier b(participants, complete);
        int arrivals = 0;
        world.live(
            8, 30,
            [&] {
                ++arrivals;
                auto arrival = b.arrive();
                const int phase = (arrivals - 1) / participants;
                b.wait(std::move(arrival));
                BOOST_TEST(arrivals >= (phase + 1) * participants);
                BOOST_TEST(completions > phase);
                return true;
            },
            [&] { BOOST_TEST(completions == arrivals / participants); });
        BOOST_TEST(completions == arrivals / participants);
    });
}

// Consumers wait for items with a condition variable. A notification that is lost leaves one that
// waits beside an item.
BOOST_AUTO_TEST_CASE(no_notification_of_a_condition_variable_is_lost) {
    run_with_seeds([](random_world& world) {
        coir::mutex mutex;
        coir::condition_variable added;
        int waiting = 0;
        int items = 0;
        int produced = 0;
        world.live(
            8, 40,
            [&] {
                std::unique_lock lock(mutex);
                const counted here(waiting);
                const coir::deadline until = world.some_deadline();
                while (items == 0) {
                    const bool notified =
                        added.wait_until(lock, until) == std::cv_status::no_timeout;
                    BOOST_TEST(lock.owns_lock());
                    if (!notified) {
                        return false;
                    }
                }
                --items;
                return true;
            },
            [&] {
                BOOST_TEST(!(items > 0 && waiting > 0));
                const std::lock_guard lock(mutex);
                const int more = world.pick(3);
                for (int i = 0; i < more; ++i) {
                    ++items;
                    ++produced;
                    added.notify_one();
                }
            });
        BOOST_TEST(world.seen.notified + items == produced);
        BOOST_TEST(world.seen.timed_out > 0);
    });
}

BOOST_AUTO_TEST_CASE(a_function_is_called_until_it_succeeds_once_and_by_one_at_a_time) {
    run_with_seeds([](random_world& world) {
        std::deque<coir::once_flag> flags(1);
        std::deque<int> successes(1);
        int calling = 0;
        int waiting = 0;
        world.live(
            8, 30,
            [&] {
                const std::size_t number = flags.size() - 1;
                try {
                    const counted here(waiting);
                    coir::call_once(flags[number], [&] {
                        const counted active(calling);
                        if (number == flags.size() - 1) {
                            BOOST_TEST(calling == 1);
                        }
                        coir::this_fiber::sleep_for(world.moment(4));
                        if (world.pick(2) == 0) {
                            throw std::runtime_error("failed");
                        }
                        ++successes[number];
                        flags.emplace_back();
                        successes.emplace_back(0);
                    });
                } catch (const std::runtime_error&) {
                    return false;
                }
                BOOST_TEST(successes[number] == 1);
                return true;
            },
            [&] { BOOST_TEST((waiting == 0 || calling > 0)); });
        BOOST_TEST(world.seen.timed_out > 0);  // here: failed
        BOOST_TEST(successes.size() > 2U);
    });
}

BOOST_AUTO_TEST_SUITE_END()
