// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/queue.hpp>

#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using coir::fiber;
using coir::lifo_queue;
using coir::priority_queue;
using coir::queue;
using coir::queue_shut_down;
using coir::test::elapsed;
using namespace std::chrono_literals;

namespace {

template <class Queue>
std::vector<int> emptied(Queue& q) {
    std::vector<int> all;
    while (const std::optional<int> item = q.try_get()) {
        all.push_back(*item);
    }
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(queues)

FIBER_TEST_CASE(each_kind_has_its_order) {
    queue<int> fifo;
    lifo_queue<int> lifo;
    priority_queue<int> smallest;
    priority_queue<int, std::greater<>> largest;
    for (const int i : {2, 3, 1}) {
        fifo.put(i);
        lifo.put(i);
        smallest.put(i);
        largest.put(i);
    }
    const auto each = boost::test_tools::per_element();
    BOOST_TEST(emptied(fifo) == (std::vector<int>{2, 3, 1}), each);
    BOOST_TEST(emptied(lifo) == (std::vector<int>{1, 3, 2}), each);
    BOOST_TEST(emptied(smallest) == (std::vector<int>{1, 2, 3}), each);
    BOOST_TEST(emptied(largest) == (std::vector<int>{3, 2, 1}), each);
}

FIBER_TEST_CASE(a_get_waits_for_an_item_and_a_put_for_room) {
    queue<std::unique_ptr<int>> q(1);
    fiber producer([&] {
        coir::this_fiber::sleep_for(2ms);
        q.put(std::make_unique<int>(1));
        q.put(std::make_unique<int>(2));
        q.put(std::make_unique<int>(3));
        BOOST_TEST((elapsed() == 5ms));
    });
    BOOST_TEST(*q.get() == 1);
    BOOST_TEST((elapsed() == 2ms));
    coir::this_fiber::sleep_for(3ms);
    BOOST_TEST(q.full());
    BOOST_TEST(!q.try_put(std::make_unique<int>(4)));
    BOOST_TEST(*q.get() == 2);
    BOOST_TEST(*q.get() == 3);
    producer.join();
    BOOST_TEST(q.empty());
}

FIBER_TEST_CASE(those_who_wait_are_served_in_the_order_in_which_they_came) {
    queue<int> q(1);
    std::vector<int> order;
    coir::task_group group;
    for (int i = 0; i < 3; ++i) {
        group.spawn([&, i] { order.push_back(10 * i + q.get()); });
    }
    coir::this_fiber::yield();
    for (int i = 0; i < 3; ++i) {
        q.put(i);
    }
    group.join();
    BOOST_TEST(order == (std::vector<int>{0, 11, 22}), boost::test_tools::per_element());
    for (int i = 0; i < 4; ++i) {
        group.spawn([&, i] { q.put(i); });
    }
    coir::this_fiber::yield();
    for (int i = 0; i < 4; ++i) {
        BOOST_TEST(q.get() == i);
    }
    group.join();
}

FIBER_TEST_CASE(join_waits_until_the_work_on_every_item_is_done) {
    queue<int> q(2);
    q.join();  // there is none
    int done = 0;
    coir::task_group workers;
    for (int i = 0; i < 2; ++i) {
        workers.spawn([&] {
            for (;;) {
                const int item = q.get();
                coir::this_fiber::sleep_for(std::chrono::milliseconds(item));
                ++done;
                q.task_done();
            }
        });
    }
    for (int i = 1; i <= 6; ++i) {
        q.put(i);
    }
    BOOST_TEST(!q.join_until(coir::deadline::after(1ms)));
    q.join();
    BOOST_TEST(done == 6);
    BOOST_CHECK_THROW(q.task_done(), std::logic_error);
    workers.cancel();
}

FIBER_TEST_CASE(a_queue_that_was_shut_down_gives_what_is_left) {
    queue<int> q(1);
    q.put(1);
    fiber putting([&] { BOOST_CHECK_THROW(q.put(2), queue_shut_down); });
    coir::this_fiber::yield();
    q.shut_down();
    q.shut_down();
    putting.join();
    BOOST_CHECK_THROW(q.put(3), queue_shut_down);
    BOOST_CHECK_THROW(q.try_put(3), queue_shut_down);
    BOOST_TEST(q.get() == 1);
    BOOST_CHECK_THROW(q.get(), queue_shut_down);
    BOOST_CHECK_THROW(q.try_get(), queue_shut_down);
    queue<int> empty;
    fiber getting([&] { BOOST_CHECK_THROW(empty.get(), queue_shut_down); });
    coir::this_fiber::yield();
    empty.shut_down();
    getting.join();
}

FIBER_TEST_CASE(a_queue_that_was_shut_down_now_drops_what_is_left) {
    queue<std::shared_ptr<int>> q;
    const auto item = std::make_shared<int>(1);
    q.put(item);
    q.put(item);
    BOOST_TEST(*q.get() == 1);
    fiber joining([&] { q.join(); });
    coir::this_fiber::yield();
    q.shut_down_now();
    BOOST_TEST(item.use_count() == 1);
    BOOST_CHECK_THROW(q.get(), queue_shut_down);
    q.task_done();  // of the one that was got
    joining.join();
}

FIBER_TEST_CASE(a_deadline_or_a_cancellation_ends_a_wait_and_takes_nothing) {
    queue<std::unique_ptr<int>> q(1);
    BOOST_TEST(!q.get_for(2ms));
    BOOST_TEST((elapsed() == 2ms));
    q.put(std::make_unique<int>(1));
    auto item = std::make_unique<int>(2);
    BOOST_TEST(!q.put_for(std::move(item), 3ms));
    BOOST_TEST((elapsed() == 5ms));
    // NOLINTNEXTLINE(bugprone-use-after-move): what was not put was not moved
    BOOST_TEST((item != nullptr));
    int cancelled = 0;
    const auto count_cancelled = [&](auto call) {
        try {
            call();
        } catch (const coir::operation_cancelled&) {
            ++cancelled;
            throw;
        }
    };
    fiber putting([&] { count_cancelled([&] { q.put(std::move(item)); }); });
    fiber joining([&] { count_cancelled([&] { q.join(); }); });
    coir::this_fiber::yield();
    putting.cancel();
    joining.cancel();
    BOOST_TEST(**q.try_get() == 1);
    BOOST_TEST(!q.try_get());
    putting.join();
    joining.join();
    fiber getting([&] { count_cancelled([&] { q.get(); }); });
    coir::this_fiber::yield();
    getting.cancel();
    BOOST_TEST(q.try_put(std::move(item)));
    getting.join();
    BOOST_TEST(cancelled == 3);
    BOOST_TEST(q.size() == 1U);
}

FIBER_TEST_CASE(calls_that_may_wait_are_cancellation_points_even_if_they_need_not) {
    queue<int> q(2);
    q.put(1);
    coir::cancel_scope scope;
    int thrown = 0;
    const auto throws = [&](auto call) {
        try {
            call();
        } catch (const coir::operation_cancelled&) {
            ++thrown;
        }
    };
    scope.run([&] {
        scope.cancel();
        throws([&] { q.put(2); });
        throws([&] { q.get(); });
        throws([&] { q.join(); });
    });
    BOOST_TEST(thrown == 3);
    BOOST_TEST(q.size() == 1U);
}

// Goal: that who waits with an item for which there turns out to be no memory is told, and the next
// one served. Method: items whose store fails.
FIBER_TEST_CASE(who_cannot_be_given_room_for_lack_of_memory_is_told) {
    static int fail = 0;
    struct failing_items : coir::detail::fifo_items<int> {
        void push(int&& item) {
            if (fail != 0 && fail-- == 1) {
                throw std::bad_alloc();
            }
            fifo_items<int>::push(std::move(item));
        }
    };
    queue<int, failing_items> q(1);
    q.put(1);
    fiber unlucky([&] { BOOST_CHECK_THROW(q.put(2), std::bad_alloc); });
    fiber lucky([&] { q.put(3); });
    coir::this_fiber::yield();
    fail = 1;
    BOOST_TEST(q.get() == 1);
    BOOST_TEST(q.get() == 3);
    unlucky.join();
    lucky.join();
    q.task_done();
    q.task_done();
    BOOST_CHECK_THROW(q.task_done(), std::logic_error);  // 2 was never put
}

// Goal: every item is got once, and the count of work ends at zero. Method: fibers, and plain
// threads, on both sides of a queue too small for them.
FIBER_TEST_CASE(threads_and_fibers_share_a_queue) {
    constexpr int each = 2000;
    queue<int> q(3);
    std::atomic<long> sum{0};
    std::vector<std::thread> threads;
    const auto produce = [&] {
        for (int i = 1; i <= each; ++i) {
            q.put(i);
        }
    };
    const auto consume = [&] {
        try {
            for (;;) {
                sum += q.get();
                q.task_done();
            }
        } catch (const queue_shut_down&) {
            return;
        }
    };
    threads.emplace_back(produce);
    threads.emplace_back(consume);
    coir::task_group group;
    group.spawn(consume);
    group.spawn(consume);
    produce();
    threads.front().join();
    q.join();
    q.shut_down();
    group.join();
    threads.back().join();
    BOOST_TEST(sum == 2L * each * (each + 1) / 2);
}

BOOST_AUTO_TEST_SUITE_END()
