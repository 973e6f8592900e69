// SPDX-License-Identifier: BSL-1.0
// Goal: whatever the order of deliveries, deadlines, cancellations and closing, each value that a
// sender was told is sent is received exactly once, or left in the channel; each one that it was
// told is not sent is still the sender's; and the values of one sender arrive in its order. Method:
// fibers send and receive at random, on virtual time; the sums must agree. The seed is printed, and
// COIR_TEST_SEED repeats it.
#include "support/fiber_test.hpp"
#include "support/law_seed.hpp"
#include "unit/sync/post_office.hpp"

#include <coir/fiber.hpp>
#include <coir/sync/channel.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <random>
#include <utility>

using coir::channel;
using coir::deadline;
using coir::fiber;
using coir::test::calls;
using coir::test::law_seed;
using coir::test::post_office;
using std::chrono::microseconds;

namespace {

struct numbered {
    int sender;
    int number;
};

// Each receiver sees the values of a sender in its order. (Two receivers need not run in the order
// in which they were served.)
class ordered_post {
public:
    explicit ordered_post(unsigned seed) : random_(seed) {}

    void run() {
        const int kind = pick(5);
        const std::size_t capacity =
            kind == 4 ? coir::detail::channel_core::no_limit : static_cast<std::size_t>(kind);
        channel<numbered> c(capacity);
        std::deque<fiber> senders;
        std::deque<fiber> receivers;
        int sent = 0;
        int received = 0;
        int out_of_order = 0;
        for (int i = 0; i < 4; ++i) {
            senders.emplace_back([&, i] {
                for (int number = 1; number < 200; ++number) {
                    sent += c.send_until(numbered{i, number}, any_deadline()) ? 1 : 0;
                    if (pick(4) == 0) {
                        coir::this_fiber::sleep_for(microseconds(pick(3)));
                    }
                }
            });
        }
        for (int i = 0; i < 3; ++i) {
            receivers.emplace_back([&] {
                std::map<int, int> last;
                while (!c.drained()) {
                    if (const auto l = c.receive_until(any_deadline())) {
                        ++received;
                        out_of_order +=
                            std::exchange(last[l->sender], l->number) < l->number ? 0 : 1;
                    }
                    if (pick(4) == 0) {
                        coir::this_fiber::sleep_for(microseconds(pick(3)));
                    }
                }
            });
        }
        for (fiber& f : senders) {
            f.join();
        }
        c.close();
        for (fiber& f : receivers) {
            f.join();
        }
        BOOST_TEST(received == sent);
        BOOST_TEST(received > 0);
        BOOST_TEST(out_of_order == 0);
    }

private:
    int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
    deadline any_deadline() {
        return pick(2) == 0 ? deadline::after(microseconds(pick(6) - 1)) : deadline::never();
    }

    std::mt19937 random_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(channel_laws)

FIBER_DATA_TEST_CASE(values_are_received_once_or_are_still_their_sender_s,
                     boost::unit_test::data::xrange(30), int, sample) {
    const unsigned seed = law_seed(sample);
    BOOST_TEST_CONTEXT("COIR_TEST_SEED=" << seed) { post_office(seed, calls::plain).run(); }
}

FIBER_DATA_TEST_CASE(a_sender_s_values_arrive_in_its_order, boost::unit_test::data::xrange(30), int,
                     sample) {
    const unsigned seed = law_seed(sample);
    BOOST_TEST_CONTEXT("COIR_TEST_SEED=" << seed) { ordered_post(seed).run(); }
}

BOOST_AUTO_TEST_SUITE_END()
