// SPDX-License-Identifier: BSL-1.0
// Goal: whatever the order of notifications, deadlines and cancellations, each wait ends for
// exactly one reason, and every notification that unpark_one() or unpark_all() claims to have
// delivered is received by exactly one waiter. Method: fibers do random things to shared queues, on
// virtual time; the sums must agree. The seed is printed, and each sample is its own seed.
#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <random>

using coir::deadline;
using coir::fiber;
using coir::wait_queue;
using coir::wait_status;
using std::chrono::microseconds;

namespace {

class chaos {
public:
    explicit chaos(unsigned seed) : random_(seed) {}

    void run() {
        constexpr int fibers = 12;
        for (int i = 0; i < fibers; ++i) {
            fibers_.emplace_back([this] { live(); });
        }
        for (int i = 0; i < 400; ++i) {
            stir();
            coir::this_fiber::sleep_for(microseconds(pick(3)));
        }
        stopping_ = true;
        // Whoever still waits is notified; these count as well.
        while (running_ != 0) {
            notify_all(0);
            notify_all(1);
            coir::this_fiber::sleep_for(microseconds(1));
        }
        for (fiber& f : fibers_) {
            f.join();
        }
        BOOST_TEST(received_ == delivered_);
        BOOST_TEST(received_ + timed_out_ + cancelled_ == waits_);
        BOOST_TEST(received_ > 0U);
        BOOST_TEST(timed_out_ > 0U);
        BOOST_TEST(cancelled_ > 0U);
        BOOST_TEST(queues_[0].empty());
        BOOST_TEST(queues_[1].empty());
    }

private:
    int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

    void live() {
        ++running_;
        while (!stopping_) {
            coir::cancel_scope scope(pick(3) == 0 ? deadline::after(microseconds(pick(5)))
                                                  : deadline::never());
            scopes_.push_back(&scope);
            scope.run([this] {
                for (int i = pick(3); i >= 0; --i) {
                    wait_once();
                }
            });
            for (auto& one : scopes_) {
                if (one == &scope) {
                    one = nullptr;
                }
            }
        }
        --running_;
    }

    void wait_once() {
        const auto number = static_cast<std::size_t>(pick(2));
        const deadline until =
            pick(2) == 0 ? deadline::after(microseconds(pick(6) - 1)) : deadline::never();
        const coir::cancellable cancel =
            pick(5) == 0 ? coir::cancellable::no : coir::cancellable::yes;
        ++waits_;
        wait_status status{};
        if (number == 0) {
            status = queues_[0].park(until, {}, cancel);
        } else {
            std::unique_lock lock(mutex_);
            status = queues_[1].park(lock, until, {}, cancel);
        }
        switch (status) {
            case wait_status::notified: ++received_; break;
            case wait_status::timed_out: ++timed_out_; break;
            case wait_status::cancelled:
                ++cancelled_;
                BOOST_TEST((cancel == coir::cancellable::yes));
                coir::this_fiber::check_cancelled();  // throws: the cause is still there
                BOOST_TEST(false, "cancelled, and no scope is");
        }
    }

    void stir() {
        switch (pick(6)) {
            case 0: notify_all(static_cast<std::size_t>(pick(2))); break;
            case 1:
                if (!scopes_.empty()) {
                    const auto number =
                        static_cast<std::size_t>(pick(static_cast<int>(scopes_.size())));
                    if (scopes_[number] != nullptr) {
                        scopes_[number]->cancel();
                    }
                }
                break;
            default: notify_one(static_cast<std::size_t>(pick(2))); break;
        }
    }

    void notify_one(std::size_t number) {
        const std::lock_guard lock(mutex_);
        delivered_ += queues_[number].unpark_one() ? 1U : 0U;
    }
    void notify_all(std::size_t number) {
        const std::lock_guard lock(mutex_);
        delivered_ += queues_[number].unpark_all();
    }

    std::mt19937 random_;
    std::array<wait_queue, 2> queues_;
    std::mutex mutex_;
    std::deque<coir::cancel_scope*> scopes_;
    bool stopping_ = false;
    int running_ = 0;
    std::size_t waits_ = 0;
    std::size_t received_ = 0;
    std::size_t delivered_ = 0;
    std::size_t timed_out_ = 0;
    std::size_t cancelled_ = 0;
    std::deque<fiber> fibers_;  // last, as the fibers use the others
};

unsigned fresh_seed() {
    static const unsigned seed = std::random_device{}();
    return seed;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wait_queue_laws)

FIBER_DATA_TEST_CASE(no_notification_is_lost_or_received_twice, boost::unit_test::data::xrange(30),
                     int, sample) {
    const unsigned seed = fresh_seed() + static_cast<unsigned>(sample);
    BOOST_TEST_CONTEXT("seed " << seed) { chaos(seed).run(); }
}

BOOST_AUTO_TEST_SUITE_END()
