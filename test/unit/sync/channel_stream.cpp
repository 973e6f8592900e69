// SPDX-License-Identifier: BSL-1.0
// Values that pass through a channel's buffer while nobody waits, which is compiled into the caller
// for as long as they stay inside of a chunk; and what ends that.
#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/sync/channel.hpp>
#include <coir/sync/select.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <random>

using coir::channel;
using coir::fiber;

namespace {

constexpr std::array<std::size_t, 8> capacities{
    1, 2, 3, 127, 128, 129, 1000, coir::detail::channel_core::no_limit};

// Of a size that leaves few to a chunk.
struct large {
    explicit large(int n) : number(n) {}
    int number;
    std::array<char, 200> rest{};
};
int number_of(const large& value) { return value.number; }
int number_of(int value) { return value; }

// Goal: a buffer is a queue, whatever passed through it before. Method: bursts of sends and of
// receives, of random lengths, are held against a std::deque.
template <class T>
void compare_with_deque(std::size_t capacity) {
    channel<T> c(capacity);
    std::deque<int> expected;
    std::mt19937 random(static_cast<unsigned>(capacity));
    int next = 0;
    for (int burst = 0; burst < 400; ++burst) {
        const bool waits = random() % 2 == 0;
        if (random() % 2 == 0) {
            for (auto left = random() % 200; left != 0; --left, ++next) {
                if (expected.size() == capacity) {
                    BOOST_TEST(!c.try_send(T(next)));
                    break;
                }
                if (waits) {
                    c.send(T(next));
                } else {
                    BOOST_TEST(c.try_send(T(next)));
                }
                expected.push_back(next);
            }
        } else {
            for (auto left = random() % 200; left != 0; --left) {
                if (expected.empty()) {
                    BOOST_TEST(!c.try_receive());
                    break;
                }
                const std::optional<T> value = waits ? c.receive() : c.try_receive();
                BOOST_TEST_REQUIRE(value.has_value());
                BOOST_TEST(number_of(*value) == expected.front());
                expected.pop_front();
            }
        }
        BOOST_TEST(c.size() == expected.size());
    }
    c.close();
    BOOST_TEST(c.drained() == expected.empty());
    for (const T& value : c) {
        BOOST_TEST_REQUIRE(!expected.empty());
        BOOST_TEST(number_of(value) == expected.front());
        expected.pop_front();
    }
    BOOST_TEST(expected.empty());
    BOOST_TEST(c.drained());
}

// Leaves an empty channel through which values stream.
void stream_through(channel<int>& c) {
    for (int i = 0; i < 10; ++i) {
        c.send(0);
    }
    for (int i = 0; i < 10; ++i) {
        c.receive();
    }
    c.send(0);
    c.receive();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(channel_streams)

FIBER_DATA_TEST_CASE(a_buffer_is_a_queue_of_small_values, capacities, std::size_t, capacity) {
    compare_with_deque<int>(capacity);
}

FIBER_DATA_TEST_CASE(a_buffer_is_a_queue_of_large_values, capacities, std::size_t, capacity) {
    compare_with_deque<large>(capacity);
}

FIBER_TEST_CASE(who_waits_is_served_before_a_stream_goes_on) {
    channel<int> c(100);
    stream_through(c);
    int first = 0;
    int second = 0;
    fiber waiting([&] { first = *c.receive(); });
    fiber selecting([&] {
        coir::select(coir::on_receive(c, [&](std::optional<int> value) { second = *value; }));
    });
    coir::this_fiber::yield();
    c.send(1);
    BOOST_TEST(c.size() == 0U);
    c.send(2);
    BOOST_TEST(c.size() == 0U);
    c.send(3);
    BOOST_TEST(c.size() == 1U);
    waiting.join();
    selecting.join();
    BOOST_TEST(first == 1);
    BOOST_TEST(second == 2);
    BOOST_TEST(*c.receive() == 3);
}

FIBER_TEST_CASE(who_waits_for_room_has_it_as_soon_as_there_is_some) {
    channel<int> c(10);
    stream_through(c);
    for (int i = 0; i < 10; ++i) {
        c.send(i);
    }
    fiber waiting([&] { c.send(10); });
    fiber selecting([&] { coir::select(coir::on_send(c, 11)); });
    coir::this_fiber::yield();
    for (int i = 0; i < 12; ++i) {
        BOOST_TEST(*c.receive() == i);
        BOOST_TEST(c.size() == (i < 2 ? 10U : 11U - static_cast<unsigned>(i)));
    }
    waiting.join();
    selecting.join();
}

FIBER_TEST_CASE(a_cancelled_fiber_sends_and_receives_nothing_of_a_stream) {
    channel<int> c(100);
    stream_through(c);
    c.send(1);
    c.send(2);
    c.send(3);
    BOOST_TEST(*c.receive() == 1);
    coir::cancel_scope scope;
    int thrown = 0;
    scope.run([&] {
        scope.cancel();
        try {
            c.send(4);
        } catch (const coir::operation_cancelled&) {
            ++thrown;
        }
        try {
            c.receive();
        } catch (const coir::operation_cancelled&) {
            ++thrown;
        }
    });
    BOOST_TEST(thrown == 2);
    BOOST_TEST(c.size() == 2U);
    BOOST_TEST(*c.receive() == 2);
}

FIBER_TEST_CASE(a_stream_ends_when_the_channel_is_closed) {
    channel<int> c(100);
    stream_through(c);
    c.send(1);
    c.send(2);
    c.close();
    BOOST_CHECK_THROW(c.send(3), coir::channel_closed);
    BOOST_CHECK_THROW(c.try_send(3), coir::channel_closed);
    BOOST_TEST(*c.receive() == 1);
    BOOST_CHECK_THROW(c.send(3), coir::channel_closed);
    BOOST_TEST(*c.receive() == 2);
    BOOST_TEST(!c.receive());
}

FIBER_TEST_CASE(a_stream_that_never_waits_lets_others_run) {
    channel<int> c(coir::unbounded);
    int ran = 0;
    fiber other([&] {
        for (;;) {
            ++ran;
            coir::this_fiber::yield();
        }
    });
    constexpr int calls = 10'000;
    for (int i = 0; i < calls; ++i) {
        c.send(i);
    }
    const int while_sending = ran;
    BOOST_TEST(while_sending > 10);
    for (int i = 0; i < calls; ++i) {
        c.receive();
    }
    BOOST_TEST(ran - while_sending > 10);
}

BOOST_AUTO_TEST_SUITE_END()
