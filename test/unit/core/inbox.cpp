// SPDX-License-Identifier: BSL-1.0
#include "core/inbox.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using coir::detail::inbox;
using coir::detail::inbox_item;

namespace {

struct traced_item : inbox_item {
    traced_item(std::string& t, char n) noexcept : inbox_item(deliver_traced), trace(t), name(n) {}
    static void deliver_traced(inbox_item& item) noexcept {
        auto& self = static_cast<traced_item&>(item);
        self.trace += self.name;
    }
    std::string& trace;
    char name;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(inbox_protocol)

BOOST_AUTO_TEST_CASE(items_are_delivered_in_the_order_in_which_they_were_posted) {
    inbox box;
    std::string trace;
    traced_item a(trace, 'a');
    traced_item b(trace, 'b');
    traced_item c(trace, 'c');
    for (traced_item* item : {&a, &b, &c}) {
        BOOST_TEST(!box.post(*item));
    }
    BOOST_TEST(!box.empty());
    box.deliver_all();
    BOOST_TEST(trace == "abc");
    BOOST_TEST(box.empty());
}

BOOST_AUTO_TEST_CASE(only_the_first_post_to_a_sleeper_asks_for_a_wake_up) {
    inbox box;
    std::string trace;
    traced_item a(trace, 'a');
    traced_item b(trace, 'b');
    BOOST_TEST(box.try_sleep());
    BOOST_TEST(box.post(a));
    BOOST_TEST(!box.post(b));
    box.awake();
    BOOST_TEST(!box.empty());
    box.deliver_all();
    BOOST_TEST(trace == "ab");
}

BOOST_AUTO_TEST_CASE(a_carrier_does_not_sleep_over_an_item) {
    inbox box;
    std::string trace;
    traced_item a(trace, 'a');
    BOOST_TEST(!box.post(a));
    BOOST_TEST(!box.try_sleep());
    box.deliver_all();
    BOOST_TEST(box.try_sleep());
    box.awake();
    BOOST_TEST(box.empty());
}

BOOST_AUTO_TEST_CASE(a_sleeper_that_awoke_by_itself_needs_no_wake_up) {
    inbox box;
    std::string trace;
    traced_item a(trace, 'a');
    BOOST_TEST(box.try_sleep());
    box.awake();
    BOOST_TEST(!box.post(a));
    box.deliver_all();
}

BOOST_AUTO_TEST_CASE(an_item_may_post_itself_again_while_it_is_delivered) {
    struct bouncing_item : inbox_item {
        explicit bouncing_item(inbox& b) noexcept : inbox_item(bounce), box(b) {}
        static void bounce(inbox_item& item) noexcept {
            auto& self = static_cast<bouncing_item&>(item);
            if (++self.delivered < 3) {
                static_cast<void>(self.box.post(self));
            }
        }
        inbox& box;
        int delivered = 0;
    };
    inbox box;
    bouncing_item item(box);
    static_cast<void>(box.post(item));
    box.deliver_all();
    BOOST_TEST(item.delivered == 1);
    box.deliver_all();
    box.deliver_all();
    BOOST_TEST(item.delivered == 3);
    BOOST_TEST(box.empty());
}

// Goal: no wake-up is lost, and what a poster wrote is seen. Method: posters hand items to a
// carrier that sleeps whenever it may; if a wake-up were lost it would sleep for ever.
BOOST_AUTO_TEST_CASE(a_carrier_that_sleeps_whenever_it_may_gets_everything) {
    constexpr int posters = 3;
    constexpr int items_each = 20000;
    struct counting_item : inbox_item {
        counting_item() noexcept : inbox_item(count) {}
        static void count(inbox_item& item) noexcept {
            auto& self = static_cast<counting_item&>(item);
            *self.sum += self.payload;
            ++*self.delivered;
        }
        long payload = 0;
        long* sum = nullptr;
        int* delivered = nullptr;
    };

    inbox box;
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = false;
    long sum = 0;
    int delivered = 0;
    std::vector<std::deque<counting_item>> items(posters);
    for (auto& of_one : items) {
        of_one.resize(items_each);
    }

    std::vector<std::thread> threads;
    for (auto& of_one : items) {
        threads.emplace_back([&] {
            long payload = 0;
            for (counting_item& item : of_one) {
                item.payload = ++payload;
                item.sum = &sum;
                item.delivered = &delivered;
                if (box.post(item)) {
                    const std::lock_guard guard(mutex);
                    woken = true;
                    changed.notify_one();
                }
            }
        });
    }
    while (delivered < posters * items_each) {
        if (box.try_sleep()) {
            std::unique_lock guard(mutex);
            changed.wait(guard, [&] { return woken; });
            woken = false;
            box.awake();
        }
        box.deliver_all();
    }
    for (std::thread& t : threads) {
        t.join();
    }
    BOOST_TEST(sum == static_cast<long>(posters) * items_each * (items_each + 1) / 2);
    BOOST_TEST(box.empty());
}

BOOST_AUTO_TEST_SUITE_END()
