// SPDX-License-Identifier: BSL-1.0
// A queue that threads share, with real threads: fibers on one or more carriers and plain threads
// wait and notify. The stress tests end after a fixed amount of work, not of time.
#include "support/fiber_test.hpp"
#include "support/gate.hpp"
#include "support/rounds.hpp"
#include "support/watched_thread.hpp"

#include <coir/cancellation.hpp>
#include <coir/detail/spin_lock.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

using coir::deadline;
using coir::fiber;
using coir::wait_queue;
using coir::wait_status;
using coir::test::gate;
using coir::test::run_in_fiber_world;
using coir::test::watched_thread;
using std::chrono::microseconds;
using std::chrono::milliseconds;

BOOST_AUTO_TEST_SUITE(wait_queue_of_several_threads)

FIBER_TEST_CASE(a_plain_thread_unparks_a_fiber_whose_carrier_sleeps) {
    gate g;
    const watched_thread carrier;
    std::thread opener([&] {
        carrier.await_asleep();
        g.open();
    });
    BOOST_TEST((g.pass() == wait_status::notified));
    opener.join();
}

FIBER_TEST_CASE(a_fiber_unparks_a_plain_thread) {
    gate g;
    gate done;
    std::thread waiting([&] {
        g.pass();
        done.open();
    });
    coir::this_fiber::yield();
    g.open();
    BOOST_TEST((done.pass() == wait_status::notified));
    waiting.join();
}

FIBER_TEST_CASE(other_fibers_run_while_one_waits_for_a_thread) {
    gate g;
    std::atomic<bool> ran{false};
    fiber other([&] { ran = true; });
    std::thread opener([&] {
        while (!ran) {
            std::this_thread::yield();
        }
        g.open();
    });
    BOOST_TEST((g.pass() == wait_status::notified));
    opener.join();
    other.join();
}

BOOST_AUTO_TEST_CASE(plain_threads_wait_for_each_other) {
    gate there;
    gate back;
    std::thread echo([&] {
        for (int i = 0; i < 500; ++i) {
            there.pass();
            back.open();
        }
    });
    for (int i = 0; i < 500; ++i) {
        there.open();
        BOOST_TEST_REQUIRE((back.pass() == wait_status::notified));
    }
    echo.join();
}

BOOST_AUTO_TEST_CASE(a_plain_thread_with_a_lock_waits_no_longer_than_its_deadline) {
    gate g;
    const auto until = std::chrono::steady_clock::now() + milliseconds(3);
    BOOST_TEST((g.pass(until) == wait_status::timed_out));
    BOOST_TEST((std::chrono::steady_clock::now() >= until));
}

// Goal: permits that notifiers hand out arrive, each once, whatever the races with deadlines.
// Method: many notifiers against fibers of one carrier, most of whose waits are about to time out.
BOOST_AUTO_TEST_CASE(many_notifiers_against_the_deadlines_of_one_carrier_lose_nothing) {
    constexpr int notifiers = 4;
    constexpr int permits_each = 5000;
    gate g;
    std::atomic<int> passed{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < notifiers; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < permits_each; ++k) {
                g.open();
                if (k % 64 == 0) {
                    std::this_thread::yield();
                }
            }
        });
    }
    run_in_fiber_world([&] {
        std::deque<fiber> fibers;
        for (int i = 0; i < 8; ++i) {
            fibers.emplace_back([&, i] {
                while (passed < notifiers * permits_each) {
                    if (g.pass(deadline::after(microseconds(i))) == wait_status::notified) {
                        ++passed;
                    } else {
                        coir::this_fiber::sleep_for(microseconds(1));
                    }
                }
            });
        }
        for (fiber& f : fibers) {
            f.join();
        }
    });
    for (std::thread& t : threads) {
        t.join();
    }
    BOOST_TEST(passed == notifiers * permits_each);
    BOOST_TEST(g.permits() == 0);
}

// Goal: the same for waits that only a notification ends: a lost one would hang. Carriers and plain
// threads wait side by side.
BOOST_AUTO_TEST_CASE(fibers_of_two_carriers_and_plain_threads_share_a_queue) {
    constexpr int waiters_each = 4;
    constexpr int rounds = 500;
    gate g;
    gate done;
    const auto wait_rounds = [&] {
        for (int i = 0; i < rounds; ++i) {
            g.pass();
            done.open();
        }
    };
    const auto carrier = [&] {
        run_in_fiber_world([&] {
            std::deque<fiber> fibers;
            for (int i = 0; i < waiters_each; ++i) {
                fibers.emplace_back(wait_rounds);
            }
            for (fiber& f : fibers) {
                f.join();
            }
        });
    };
    std::thread first(carrier);
    std::thread second(carrier);
    std::thread plain(wait_rounds);
    constexpr int all = (2 * waiters_each + 1) * rounds;
    for (int handed_out = 0; handed_out < all; handed_out += 3) {
        g.open(3);
        done.pass();
        done.pass();
        done.pass();
    }
    first.join();
    second.join();
    plain.join();
    BOOST_TEST(g.permits() == 0);
    BOOST_TEST(done.permits() == 0);
}

// Goal: a cancellation on the carrier races with a notification by a thread; one wins, and what the
// notifier claims to have delivered was received.
BOOST_AUTO_TEST_CASE(notifications_of_threads_race_with_cancellations) {
    coir::detail::spin_lock lock;
    wait_queue queue;
    std::atomic<bool> stop{false};
    std::size_t delivered = 0;
    std::size_t received = 0;
    std::thread notifier([&] {
        while (!stop) {
            std::unique_lock guard(lock);
            const bool any = queue.unpark_one();
            guard.unlock();
            if (any) {
                ++delivered;
            } else {
                std::this_thread::yield();  // who could wait may need this processor for it
            }
        }
    });
    run_in_fiber_world([&] {
        for (int i = 0; i < coir::test::rounds(3000); ++i) {
            fiber waiting([&] {
                std::unique_lock guard(lock);
                if (queue.park(guard) == wait_status::notified) {
                    ++received;
                }
            });
            coir::this_fiber::yield();
            waiting.cancel();
            waiting.join();
        }
    });
    stop = true;
    notifier.join();
    BOOST_TEST(received == delivered);
}

BOOST_AUTO_TEST_SUITE_END()
