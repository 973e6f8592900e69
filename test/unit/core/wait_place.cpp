// SPDX-License-Identifier: BSL-1.0
// Waiting in places: hand-over to the waiter that was claimed, and several queues at once.
#include "support/fiber_test.hpp"
#include "support/rounds.hpp"

#include <coir/detail/spin_lock.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

using coir::claimed_waiter;
using coir::deadline;
using coir::fiber;
using coir::wait_place;
using coir::wait_queue;
using coir::wait_status;
using coir::detail::spin_lock;
using coir::test::elapsed;
using coir::test::run_in_fiber_world;
using namespace std::chrono_literals;

namespace {

struct line {
    spin_lock lock;
    wait_queue queue;
};

struct letter_box : wait_place {
    explicit letter_box(line& l) : wait_place(l.queue, l.lock) {}
    int letter = 0;
};

// Waits for a letter in one line.
int wait_for_letter(line& l, deadline until = deadline::never()) {
    letter_box box(l);
    l.lock.lock();
    return wait_queue::park_in(box, until) == wait_status::notified ? box.letter : -1;
}

// Gives a letter to the first in line, after the lock was given up.
bool give_letter(line& l, int letter) {
    claimed_waiter first;
    {
        const std::lock_guard guard(l.lock);
        first = l.queue.claim_one();
    }
    if (!first) {
        return false;
    }
    static_cast<letter_box&>(*first.place()).letter = letter;
    first.deliver();
    return true;
}

struct two_locks {
    line& first;
    line& second;
    void lock() {
        first.lock.lock();
        second.lock.lock();
    }
    void unlock() {
        second.lock.unlock();
        first.lock.unlock();
    }
};

// Waits for a letter in either of two lines: 100 times the line's number, and the letter. It checks
// without Boost.Test, which threads may not share: -2 is wrong.
int wait_for_letter(line& a, line& b, deadline until = deadline::never()) {
    letter_box in_a(a);
    letter_box in_b(b);
    std::array<wait_place*, 2> places{&in_a, &in_b};
    two_locks locks{a, b};
    locks.lock();
    if (wait_queue::park_in_all(places.data(), 2, locks, until) != wait_status::notified) {
        return in_a.was_notified() || in_b.was_notified() ? -2 : -1;
    }
    if (in_a.was_notified() == in_b.was_notified()) {
        return -2;
    }
    return in_a.was_notified() ? 100 + in_a.letter : 200 + in_b.letter;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wait_places)

FIBER_TEST_CASE(a_claimed_waiter_waits_until_it_is_delivered_to) {
    line l;
    int got = 0;
    fiber waiting([&] { got = wait_for_letter(l, deadline::after(1ms)); });
    coir::this_fiber::yield();
    l.lock.lock();
    claimed_waiter claimed = l.queue.claim_one();
    l.lock.unlock();
    BOOST_TEST_REQUIRE(static_cast<bool>(claimed));
    waiting.cancel();
    coir::this_fiber::sleep_for(5ms);  // neither the deadline nor the cancellation ends it now
    BOOST_TEST(got == 0);
    static_cast<letter_box&>(*claimed.place()).letter = 7;
    claimed.deliver();
    waiting.join();
    BOOST_TEST(got == 7);
}

FIBER_TEST_CASE(a_claim_that_is_dropped_is_delivered) {
    line l;
    int got = -1;
    fiber waiting([&] { got = wait_for_letter(l); });
    coir::this_fiber::yield();
    {
        const std::lock_guard guard(l.lock);
        claimed_waiter claimed = l.queue.claim_one();
        const claimed_waiter moved = std::move(claimed);
    }
    waiting.join();
    BOOST_TEST(got == 0);
}

FIBER_TEST_CASE(nobody_is_claimed_twice_or_after_its_wait) {
    line l;
    fiber waiting([&] { BOOST_TEST(wait_for_letter(l, deadline::after(1ms)) == -1); });
    coir::this_fiber::sleep_for(2ms);
    BOOST_TEST(!give_letter(l, 1));
    waiting.join();
    fiber cancelled([&] { BOOST_TEST(wait_for_letter(l) == -1); });
    fiber other([&] { BOOST_TEST(wait_for_letter(l) == 2); });
    coir::this_fiber::yield();
    cancelled.cancel();
    BOOST_TEST(give_letter(l, 2));  // it goes to the next in line
    BOOST_TEST(!give_letter(l, 3));
    cancelled.join();
    other.join();
}

FIBER_TEST_CASE(a_waiter_without_a_place_has_none) {
    wait_queue queue;
    fiber waiting([&] { queue.park(); });
    coir::this_fiber::yield();
    claimed_waiter claimed = queue.claim_one();
    BOOST_TEST(claimed.place() == nullptr);
    claimed.deliver();
    waiting.join();
}

FIBER_TEST_CASE(who_stands_in_several_queues_is_notified_in_one) {
    line a;
    line b;
    for (int number = 1; number <= 2; ++number) {
        int got = 0;
        fiber waiting([&] { got = wait_for_letter(a, b); });
        coir::this_fiber::yield();
        BOOST_TEST(give_letter(number == 1 ? a : b, number));
        BOOST_TEST(!give_letter(number == 1 ? b : a, 9));  // before it has run
        waiting.join();
        BOOST_TEST(got == 101 * number);
        BOOST_TEST(a.queue.empty());
        BOOST_TEST(b.queue.empty());
    }
}

FIBER_TEST_CASE(a_deadline_or_a_cancellation_ends_a_wait_in_several_queues) {
    line a;
    line b;
    BOOST_TEST(wait_for_letter(a, b, deadline::after(3ms)) == -1);
    BOOST_TEST((elapsed() == 3ms));
    fiber waiting([&] { BOOST_TEST(wait_for_letter(a, b) == -1); });
    coir::this_fiber::yield();
    waiting.cancel();
    waiting.join();
    BOOST_TEST(a.queue.empty());
    BOOST_TEST(b.queue.empty());
}

FIBER_TEST_CASE(one_waiter_may_stand_twice_in_one_queue) {
    line l;
    fiber waiting([&] {
        letter_box one(l);
        letter_box two(l);
        std::array<wait_place*, 2> places{&one, &two};
        l.lock.lock();
        BOOST_TEST((wait_queue::park_in_all(places.data(), 2, l.lock) == wait_status::notified));
        BOOST_TEST(one.letter == 5);
        BOOST_TEST(!two.was_notified());
    });
    coir::this_fiber::yield();
    BOOST_TEST(give_letter(l, 5));
    BOOST_TEST(!give_letter(l, 6));
    waiting.join();
}

FIBER_TEST_CASE(who_was_notified_does_not_touch_the_queue_again) {
    auto l = std::make_unique<line>();
    line stays;
    fiber waiting([&] { BOOST_TEST(wait_for_letter(*l, stays) == 101); });
    coir::this_fiber::yield();
    BOOST_TEST(give_letter(*l, 1));
    l.reset();
    waiting.join();
}

// Goal: each letter that was given is received once, whatever races with deadlines there are.
// Method: threads and fibers of two carriers wait in two lines at once, with short deadlines; two
// threads give letters.
BOOST_AUTO_TEST_CASE(threads_and_carriers_wait_in_two_queues_at_once) {
    line a;
    line b;
    constexpr int letters = coir::test::rounds(3000);
    std::atomic<int> received{0};
    std::atomic<bool> stop{false};
    const auto wait = [&] {
        for (int i = 0; !stop; ++i) {
            // Both orders of the boxes; the locks are taken in one.
            if (wait_for_letter(a, b, deadline::after(std::chrono::microseconds(i % 50))) > 0) {
                ++received;
            }
        }
    };
    const auto carrier = [&] {
        run_in_fiber_world([&] {
            fiber one(wait);
            fiber two([&] {
                while (!stop) {
                    received += wait_for_letter(a, deadline::after(1us)) > 0 ? 1 : 0;
                    coir::this_fiber::yield();
                }
            });
            one.join();
            two.join();
        });
    };
    std::vector<std::thread> waiting;
    waiting.emplace_back(carrier);
    waiting.emplace_back(carrier);
    waiting.emplace_back(wait);
    const auto give = [&](line& l) {
        for (int given = 0; given < letters;) {
            if (give_letter(l, 1)) {
                ++given;
            } else {
                std::this_thread::yield();  // who could wait may need this processor for it
            }
        }
    };
    std::thread giver([&] { give(a); });
    give(b);
    giver.join();
    stop = true;
    for (std::thread& t : waiting) {
        t.join();
    }
    BOOST_TEST(received == 2 * letters);
}

BOOST_AUTO_TEST_SUITE_END()
