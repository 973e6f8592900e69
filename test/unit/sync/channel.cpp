// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/channel.hpp>

#include "core/waiter.hpp"
#include "support/fiber_test.hpp"
#include "unit/context/child_process.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using coir::channel;
using coir::channel_closed;
using coir::fiber;
using coir::test::elapsed;
using namespace std::chrono_literals;

namespace {

// Counts how often it was moved, and how many there are.
struct traveller {
    explicit traveller(int& alive) : alive_(&alive) { ++*alive_; }
    traveller(traveller&& other) noexcept : moves(other.moves + 1), alive_(other.alive_) {
        ++*alive_;
    }
    traveller& operator=(traveller&&) = delete;
    ~traveller() { --*alive_; }

    int moves = 0;

private:
    int* alive_;
};

std::vector<int> received_from(channel<int>& c) {
    std::vector<int> all;
    for (const int value : c) {
        all.push_back(value);
    }
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(channels)

FIBER_TEST_CASE(values_arrive_in_the_order_in_which_they_were_sent) {
    for (const std::size_t capacity : {0U, 1U, 3U, 100U}) {
        channel<int> c(capacity);
        fiber sender([&] {
            for (int i = 0; i < 10; ++i) {
                c.send(i);
            }
            c.close();
        });
        BOOST_TEST(received_from(c) == (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}),
                   boost::test_tools::per_element());
        sender.join();
    }
}

FIBER_TEST_CASE(a_send_without_buffer_waits_for_its_receiver) {
    channel<int> c(0);
    bool sent = false;
    fiber sender([&] {
        c.send(1);
        sent = true;
    });
    coir::this_fiber::sleep_for(5ms);
    BOOST_TEST(!sent);
    BOOST_TEST(*c.receive() == 1);
    sender.join();
    BOOST_TEST(sent);
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(a_value_moves_from_stack_to_stack_without_a_copy_in_between) {
    int alive = 0;
    {
        channel<traveller> c(0);
        fiber sender([&] { c.send(traveller(alive)); });
        const std::optional<traveller> to_a_waiting_receiver = c.receive();
        BOOST_TEST(to_a_waiting_receiver->moves == 1);
        sender.join();
        fiber waiting_sender([&] { c.send(traveller(alive)); });
        coir::this_fiber::yield();
        const std::optional<traveller> from_a_waiting_sender = c.receive();
        BOOST_TEST(from_a_waiting_sender->moves == 1);
        waiting_sender.join();
        BOOST_TEST(alive == 2);
    }
    BOOST_TEST(alive == 0);
}

FIBER_TEST_CASE(a_buffered_send_waits_only_while_the_buffer_is_full) {
    channel<int> c(2);
    c.send(1);
    c.send(2);
    BOOST_TEST(c.size() == 2U);
    BOOST_TEST(!c.try_send(3));
    BOOST_TEST(!c.send_for(3, 4ms));
    BOOST_TEST((elapsed() == 4ms));
    fiber sender([&] { c.send(3); });
    coir::this_fiber::yield();
    BOOST_TEST(*c.receive() == 1);
    BOOST_TEST(c.size() == 2U);  // the one who waited was served at once
    sender.join();
    BOOST_TEST(*c.receive() == 2);
    BOOST_TEST(*c.receive() == 3);
    BOOST_TEST(!c.try_receive());
}

FIBER_TEST_CASE(an_unbounded_send_never_waits) {
    channel<std::string> c(coir::unbounded);
    for (int i = 0; i < 1000; ++i) {
        c.send(std::to_string(i));
    }
    BOOST_TEST(c.size() == 1000U);
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST(*c.receive() == std::to_string(i));
        c.send("again");  // so that it wanders through its memory
    }
    c.close();
    int left = 0;
    for (const std::string& s : c) {
        BOOST_TEST(s == "again");
        ++left;
    }
    BOOST_TEST(left == 1000);
}

FIBER_TEST_CASE(receivers_and_senders_are_served_in_the_order_in_which_they_came) {
    channel<int> c(0);
    std::vector<int> order;
    coir::task_group group;
    for (int i = 0; i < 3; ++i) {
        group.spawn([&, i] { order.push_back(10 * i + *c.receive()); });
    }
    coir::this_fiber::yield();
    for (int i = 0; i < 3; ++i) {
        c.send(i);
    }
    group.join();
    BOOST_TEST(order == (std::vector<int>{0, 11, 22}), boost::test_tools::per_element());
    for (int i = 0; i < 3; ++i) {
        group.spawn([&, i] { c.send(i); });
    }
    coir::this_fiber::yield();
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(*c.receive() == i);
    }
    group.join();
}

FIBER_TEST_CASE(who_comes_when_others_wait_does_not_overtake_them) {
    channel<int> c(1);
    c.send(0);
    fiber first([&] { c.send(1); });
    coir::this_fiber::yield();
    BOOST_TEST(*c.receive() == 0);
    BOOST_TEST(!c.try_send(2));  // the room was the first's, though it has not run yet
    BOOST_TEST(*c.receive() == 1);
    first.join();
}

FIBER_TEST_CASE(a_closed_channel_gives_what_is_left_and_then_nothing) {
    channel<int> c(3);
    c.send(1);
    c.send(2);
    BOOST_TEST(!c.closed());
    c.close();
    c.close();  // does nothing
    BOOST_TEST(c.closed());
    BOOST_TEST(!c.drained());
    BOOST_TEST(*c.receive() == 1);
    BOOST_TEST(*c.try_receive() == 2);
    BOOST_TEST(c.drained());
    BOOST_TEST(!c.receive());
    BOOST_TEST(!c.try_receive());
    BOOST_TEST(!c.receive_for(1h));
    BOOST_TEST((elapsed() == 0ms));
}

FIBER_TEST_CASE(a_send_on_a_closed_channel_throws_and_names_it) {
    channel<int> c(1, "jobs");
    c.close();
    const auto names_it = [](const channel_closed& e) {
        return std::string(e.what()).find("'jobs'") != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION(c.send(1), channel_closed, names_it);
    BOOST_CHECK_EXCEPTION(c.try_send(1), channel_closed, names_it);
    BOOST_CHECK_EXCEPTION(c.send_for(1, 1s), channel_closed, names_it);
    static_assert(std::is_base_of_v<std::logic_error, channel_closed>);
}

FIBER_TEST_CASE(closing_wakes_all_who_wait) {
    channel<std::unique_ptr<int>> empty(0);
    coir::task_group group;
    int nothing = 0;
    for (int i = 0; i < 3; ++i) {
        group.spawn([&] { nothing += empty.receive() ? 0 : 1; });
    }
    channel<std::unique_ptr<int>> full(0);
    int thrown = 0;
    for (int i = 0; i < 3; ++i) {
        group.spawn([&] {
            auto value = std::make_unique<int>(7);
            BOOST_CHECK_THROW(full.send(std::move(value)), channel_closed);
            // NOLINTNEXTLINE(bugprone-use-after-move): what was not sent was not moved
            thrown += value != nullptr ? 1 : 0;
        });
    }
    coir::this_fiber::yield();
    empty.close();
    full.close();
    group.join();
    BOOST_TEST(nothing == 3);
    BOOST_TEST(thrown == 3);
}

FIBER_TEST_CASE(a_deadline_ends_a_wait_and_takes_nothing) {
    channel<std::unique_ptr<int>> c(0);
    BOOST_TEST(!c.receive_for(3ms));
    BOOST_TEST((elapsed() == 3ms));
    BOOST_TEST(!c.drained());
    auto value = std::make_unique<int>(7);
    BOOST_TEST(!c.send_for(std::move(value), 4ms));
    BOOST_TEST((elapsed() == 7ms));
    // NOLINTNEXTLINE(bugprone-use-after-move): what was not sent was not moved
    BOOST_TEST((value != nullptr));
    fiber receiver([&] { BOOST_TEST(**c.receive() == 7); });
    coir::this_fiber::yield();
    BOOST_TEST(c.send_until(std::move(value), coir::deadline::immediately()));
    receiver.join();
}

FIBER_TEST_CASE(a_cancelled_wait_takes_nothing) {
    channel<std::unique_ptr<int>> c(0);
    fiber receiver([&] { c.receive(); });
    auto value = std::make_unique<int>(7);
    bool cancelled = false;
    coir::this_fiber::yield();
    receiver.cancel();
    BOOST_TEST(!c.try_send(std::move(value)));
    receiver.join();
    fiber sender([&] {
        try {
            c.send(std::move(value));
        } catch (const coir::operation_cancelled&) {
            cancelled = true;
            throw;
        }
    });
    coir::this_fiber::yield();
    sender.cancel();
    BOOST_TEST(!c.try_receive());
    sender.join();
    BOOST_TEST(cancelled);
    // NOLINTNEXTLINE(bugprone-use-after-move): what was not sent was not moved
    BOOST_TEST(*value == 7);
}

FIBER_TEST_CASE(calls_that_may_wait_are_cancellation_points_even_if_they_need_not) {
    channel<int> c(5);
    c.send(1);
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
        throws([&] { c.send(2); });
        throws([&] { c.receive(); });
        throws([&] { c.send_for(2, 1s); });
        throws([&] { c.receive_for(1s); });
        BOOST_TEST(*c.try_receive() == 1);
        BOOST_TEST(c.try_send(3));
    });
    BOOST_TEST(thrown == 4);
    BOOST_TEST(c.size() == 1U);
}

FIBER_TEST_CASE(a_timeout_around_it_ends_a_wait) {
    channel<int> c(0);
    BOOST_CHECK_THROW(coir::with_timeout(2ms, [&] { return c.receive(); }), coir::timed_out);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(who_was_given_its_value_may_destroy_the_channel) {
    auto reply = std::make_unique<channel<int>>(0);
    fiber answering([&, c = reply.get()] { c->send(42); });
    coir::this_fiber::yield();  // it waits
    BOOST_TEST(*reply->receive() == 42);
    reply.reset();  // before the sender has run again
    answering.join();
    reply = std::make_unique<channel<int>>(0);
    fiber asking([&, c = reply.get()] { BOOST_TEST(*c->receive() == 43); });
    coir::this_fiber::yield();
    reply->send(43);
    reply.reset();
    asking.join();
}

FIBER_TEST_CASE(values_that_are_left_are_destroyed_with_the_channel) {
    int alive = 0;
    {
        channel<traveller> bounded(40);
        channel<traveller> growing(coir::unbounded);
        for (int i = 0; i < 40; ++i) {
            bounded.send(traveller(alive));
            growing.send(traveller(alive));
        }
        bounded.receive();
        BOOST_TEST(alive == 79);
    }
    BOOST_TEST(alive == 0);
}

FIBER_TEST_CASE(a_busy_pair_lets_others_run) {
    channel<int> c(1);
    bool ran = false;
    fiber other([&] { ran = true; });
    int rounds = 0;
    for (; !ran && rounds < 10000; ++rounds) {
        c.send(1);
        c.receive();
    }
    BOOST_TEST(ran);
    other.join();
}

BOOST_AUTO_TEST_CASE(an_impossible_capacity_is_refused) {
    BOOST_CHECK_THROW(channel<int>(std::numeric_limits<std::size_t>::max() - 1), std::length_error);
    const channel<int> growing(coir::unbounded);
    BOOST_TEST(growing.size() == 0U);
}

FIBER_TEST_CASE(a_report_names_the_channel_that_a_fiber_waits_for) {
    channel<int> c(0, "jobs");
    fiber receiver({"worker"}, [&] { c.receive(); });
    coir::this_fiber::yield();
    const std::string text = coir::detail::scheduler::current()->describe_fibers();
    BOOST_TEST(text.find("receiving from a channel 'jobs'") != std::string::npos);
    c.close();
    receiver.join();
}

#if defined(COIR_ASSERTIONS) && COIR_ASSERTIONS
BOOST_AUTO_TEST_CASE(destroying_it_under_a_wait_ends_the_program_and_names_it) {
    const child_result child = run_in_child([] {
        std::signal(SIGABRT, SIG_DFL);
        coir::test::run_in_fiber_world([] {
            std::optional<channel<int>> c(std::in_place, 0, "jobs");
            fiber receiver({"worker"}, [&] { c->receive(); });
            coir::this_fiber::yield();
            c.reset();
        });
    });
    BOOST_TEST(child.died_by(SIGABRT));
    BOOST_TEST(child.messages.find("'worker', for receiving from a channel 'jobs'") !=
               std::string::npos);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
