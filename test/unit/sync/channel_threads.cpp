// SPDX-License-Identifier: BSL-1.0
// Channels between fibers of two carriers and plain threads. The stress tests end after a fixed
// amount of work, not of time.
#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/sync/channel.hpp>
#include <coir/sync/select.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using coir::channel;
using coir::fiber;
using coir::test::run_in_fiber_world;
using namespace std::chrono_literals;

namespace {

// Runs `body` three times at once: twice in fibers, four to a carrier, and on a plain thread.
template <class F>
std::vector<std::thread> everywhere(F body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([body] {
            run_in_fiber_world([&] {
                std::deque<fiber> fibers;
                for (int k = 0; k < 4; ++k) {
                    fibers.emplace_back(body);
                }
                for (fiber& f : fibers) {
                    f.join();
                }
            });
        });
    }
    threads.emplace_back(body);
    return threads;
}

void join(std::vector<std::thread>& threads) {
    for (std::thread& t : threads) {
        t.join();
    }
}

constexpr int bodies_everywhere = 9;

const auto capacities = boost::unit_test::data::make({0, 1, 7, 1000000});

}  // namespace

BOOST_AUTO_TEST_SUITE(channels_between_threads)

FIBER_TEST_CASE(a_thread_and_a_fiber_pass_values_both_ways) {
    channel<int> there(0);
    channel<int> back(0);
    std::thread echo([&] {
        for (const int value : there) {
            back.send(value + 1);
        }
        back.close();
    });
    for (int i = 0; i < 500; ++i) {
        there.send(i);
        BOOST_TEST_REQUIRE(*back.receive() == i + 1);
    }
    there.close();
    BOOST_TEST(!back.receive());
    echo.join();
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_a_wait_ends_at_its_deadline) {
    channel<int> c(0);
    const auto until = std::chrono::steady_clock::now() + 2ms;
    BOOST_TEST(!c.receive_until(until));
    BOOST_TEST((std::chrono::steady_clock::now() >= until));
    BOOST_TEST(!c.send_for(1, 1ms));
    BOOST_TEST(coir::select(coir::on_receive(c), coir::on_timeout(1ms)) == 1U);
}

// Goal: every value arrives once. Method: senders and receivers everywhere, on one channel.
BOOST_DATA_TEST_CASE(values_arrive_once_whoever_sends_and_receives, capacities, capacity) {
    constexpr int each = 400;
    channel<std::unique_ptr<int>> c(static_cast<std::size_t>(capacity));
    std::atomic<long> out{0};
    auto receivers = everywhere([&] {
        for (const std::unique_ptr<int>& value : c) {
            out += *value;
        }
    });
    auto senders = everywhere([&] {
        for (int i = 1; i <= each; ++i) {
            c.send(std::make_unique<int>(i));
        }
    });
    join(senders);
    c.close();
    join(receivers);
    BOOST_TEST(out == long{bodies_everywhere} * each * (each + 1) / 2);
}

// Goal: a value whose sender is told that it was not sent is not received. Method: the same with
// deadlines that are about to pass, cancelled receivers, and a close() in the midst of it.
BOOST_DATA_TEST_CASE(deadlines_and_closing_lose_nothing, capacities, capacity) {
    channel<std::unique_ptr<int>> c(static_cast<std::size_t>(capacity));
    std::atomic<long> in{0};
    std::atomic<long> out{0};
    std::atomic<bool> mine_not_taken{true};
    auto senders = everywhere([&] {
        try {
            for (int i = 1; i <= 2000; ++i) {
                auto value = std::make_unique<int>(i);
                in += i;
                bool sent = false;
                try {
                    sent = c.send_for(std::move(value), std::chrono::microseconds(i % 20));
                } catch (const coir::channel_closed&) {
                    in -= i;
                    throw;
                }
                if (!sent) {
                    // NOLINTNEXTLINE(bugprone-use-after-move): what was not sent was not moved
                    mine_not_taken = mine_not_taken && value != nullptr;
                    in -= i;
                }
            }
        } catch (const coir::channel_closed&) {
            return;
        }
    });
    std::atomic<int> turns{0};
    auto receivers = everywhere([&] {
        while (!c.drained()) {
            coir::cancel_scope scope(coir::deadline::after(50us));
            scope.run([&] {
                while (auto value = c.receive_for(std::chrono::microseconds(++turns % 20))) {
                    out += **value;
                }
            });
        }
    });
    while (turns < 1000) {  // all of them are in the thick of it
        std::this_thread::yield();
    }
    c.close();
    join(senders);
    join(receivers);
    BOOST_TEST(in == out);
    BOOST_TEST(mine_not_taken);
}

// Goal: selects that offer and take on the same two channels, in opposite orders, neither lock each
// other out nor lose anything.
BOOST_DATA_TEST_CASE(selects_meet_everywhere, capacities, capacity) {
    constexpr int each = 300;
    channel<std::unique_ptr<int>> a(static_cast<std::size_t>(capacity));
    channel<std::unique_ptr<int>> b(static_cast<std::size_t>(capacity));
    coir::event done;
    std::atomic<long> out{0};
    auto receivers = everywhere([&] {
        const auto take = [&](std::optional<std::unique_ptr<int>> value) {
            out += **value;
        };
        bool stop = false;
        while (!stop) {
            coir::select(coir::on_receive(b, take), coir::on_receive(a, take),
                         coir::on_event(done, [&] { stop = true; }));
        }
    });
    auto senders = everywhere([&] {
        for (int i = 1; i <= each;) {
            auto value = std::make_unique<int>(i);
            // Who sends takes now and then, perhaps its own value from the buffer.
            coir::select(coir::on_send(a, std::move(value), [&] { ++i; }),
                         coir::on_send(b, std::move(value), [&] { ++i; }),
                         coir::on_receive(a, [&](auto other) { out += **other; }),
                         coir::on_timeout(std::chrono::microseconds(i % 30)));
        }
    });
    join(senders);
    while (a.size() + b.size() != 0) {
        std::this_thread::yield();
    }
    done.set();
    join(receivers);
    BOOST_TEST(out == long{bodies_everywhere} * each * (each + 1) / 2);
}

// Goal: a reply channel may be destroyed as soon as the reply is there, while the one who has sent
// it, or closed it, has not yet left the call.
BOOST_AUTO_TEST_CASE(a_channel_is_destroyed_by_who_was_given_its_value) {
    channel<channel<int>*> requests(4);
    auto servers = everywhere([&] {
        for (channel<int>* reply : requests) {
            if (reinterpret_cast<std::uintptr_t>(reply) % 32 == 0) {
                reply->close();
            } else {
                reply->send(1);
            }
        }
    });
    auto clients = everywhere([&] {
        for (int i = 0; i < 300; ++i) {
            const auto reply = std::make_unique<channel<int>>(0);
            requests.send(reply.get());
            reply->receive();
        }
    });
    join(clients);
    requests.close();
    join(servers);
    BOOST_TEST(requests.drained());
}

BOOST_AUTO_TEST_SUITE_END()
