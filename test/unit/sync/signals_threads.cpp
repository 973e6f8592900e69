// SPDX-License-Identifier: BSL-1.0
// Semaphores, events and the like that fibers of two carriers and a plain thread share: see
// locks_threads.cpp.
#include "support/rounds.hpp"
#include "unit/sync/threads.hpp"

#include <coir/cancellation.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

using coir::event;
using coir::test::on_two_carriers_and_a_thread;
using coir::test::participants;
using namespace std::chrono_literals;

namespace {

constexpr int rounds = 300;

}  // namespace

BOOST_AUTO_TEST_SUITE(signals_of_several_threads)

BOOST_AUTO_TEST_CASE(permits_of_a_semaphore_are_neither_lost_nor_had_twice) {
    coir::counting_semaphore<3> permits(3);
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    on_two_carriers_and_a_thread([&](int number) {
        for (int i = 0; i < rounds; ++i) {
            if (number % 3 == 0) {
                permits.acquire();
            } else if (!permits.try_acquire_for(i % 3 * 1us)) {
                continue;
            }
            const int now = ++inside;
            if (now > most) {
                most = now;
            }
            if (i % 8 == 0) {
                coir::this_fiber::yield();
            }
            --inside;
            permits.release();
        }
    });
    BOOST_TEST(most <= 3);
    BOOST_TEST(permits.try_acquire());
    BOOST_TEST(permits.try_acquire());
    BOOST_TEST(permits.try_acquire());
    BOOST_TEST(!permits.try_acquire());
}

BOOST_AUTO_TEST_CASE(a_binary_semaphore_orders_what_its_holders_do) {
    coir::binary_semaphore permit(1);
    int value = 0;
    on_two_carriers_and_a_thread([&](int) {
        for (int i = 0; i < rounds; ++i) {
            permit.acquire();
            ++value;
            permit.release();
        }
    });
    BOOST_TEST(value == participants * rounds);
}

BOOST_AUTO_TEST_CASE(each_setting_of_an_automatic_event_lets_one_pass) {
    event turn(event::reset_mode::automatic);
    turn.set();
    int value = 0;
    on_two_carriers_and_a_thread([&](int) {
        for (int i = 0; i < rounds; ++i) {
            turn.wait();
            ++value;
            turn.set();
        }
    });
    BOOST_TEST(value == participants * rounds);
    BOOST_TEST(turn.is_set());
}

BOOST_AUTO_TEST_CASE(a_manual_event_wakes_all_and_shows_what_came_before) {
    for (int i = 0; i < 50; ++i) {
        event e;
        int value = 0;
        std::atomic<int> sum{0};
        on_two_carriers_and_a_thread([&](int number) {
            if (number == i % participants) {
                value = 1;
                e.set();
            }
            e.wait();
            sum += value;
        });
        BOOST_TEST(sum == participants);
    }
}

BOOST_AUTO_TEST_CASE(a_latch_shows_what_came_before_the_counting) {
    for (int i = 0; i < 50; ++i) {
        coir::latch all(participants);
        int values[participants] = {};
        std::atomic<int> sum{0};
        on_two_carriers_and_a_thread([&](int number) {
            values[number] = 1;
            all.arrive_and_wait();
            for (const int value : values) {
                sum += value;
            }
        });
        BOOST_TEST(sum == participants * participants);
    }
}

BOOST_AUTO_TEST_CASE(a_barrier_shows_every_phase_to_the_next) {
    int sum = 0;
    int values[participants] = {};
    auto add = [&]() noexcept {
        for (const int value : values) {
            sum += value;
        }
    };
    coir::barrier phase(participants, add);
    std::atomic<bool> wrong{false};
    on_two_carriers_and_a_thread([&](int number) {
        for (int i = 1; i <= rounds; ++i) {
            values[number] = i;
            phase.arrive_and_wait();
            wrong = wrong || sum != participants * i * (i + 1) / 2;
        }
    });
    BOOST_TEST(!wrong);
}

BOOST_AUTO_TEST_CASE(no_notification_of_a_condition_variable_is_lost) {
    coir::mutex mutex;
    coir::condition_variable changed;
    int items = 0;
    int taken = 0;
    constexpr int all = rounds * (participants - 1);
    on_two_carriers_and_a_thread([&](int number) {
        if (number == 0) {  // produces for all the others
            for (int i = 0; i < all; ++i) {
                const std::lock_guard lock(mutex);
                ++items;
                changed.notify_one();
            }
            return;
        }
        for (int i = 0; i < rounds; ++i) {
            std::unique_lock lock(mutex);
            if (number % 2 == 0) {
                changed.wait(lock, [&] { return items > 0; });
            } else {
                while (!changed.wait_for(lock, i % 3 * 1us, [&] { return items > 0; })) {
                }
            }
            --items;
            ++taken;
        }
    });
    BOOST_TEST(items == 0);
    BOOST_TEST(taken == all);
}

// Goal: cancellation on the carrier races with a release by a thread: a permit that the release
// handed out was had, or is there still.
BOOST_AUTO_TEST_CASE(releases_race_with_cancellations) {
    coir::counting_semaphore<> permits(0);
    std::atomic<bool> stop{false};
    long released = 0;
    long acquired = 0;
    std::thread releasing([&] {
        while (!stop) {
            permits.release();
            ++released;
            std::this_thread::yield();
        }
    });
    coir::test::run_in_fiber_world([&] {
        for (int i = 0; i < coir::test::rounds(400); ++i) {
            coir::fiber waiting([&] {
                for (;;) {
                    permits.acquire();
                    ++acquired;
                }
            });
            coir::this_fiber::yield();
            waiting.cancel();
            waiting.join();
        }
    });
    stop = true;
    releasing.join();
    while (permits.try_acquire()) {
        ++acquired;
    }
    BOOST_TEST(acquired == released);
}

BOOST_AUTO_TEST_SUITE_END()
