// SPDX-License-Identifier: BSL-1.0

// Goal: the timer queue does what a sorted list of deadlines does, at every distance and in every
// mixture of arming, cancelling and advancing.
// Method: random programs run on the queue and on a std::multimap, and after each step the two must
// agree. The seed is the sample of the data test, which names it when a case fails.

#include "time/timer_queue.hpp"
#include "unit/time/recorded_timer.hpp"

#include <algorithm>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <map>
#include <random>

using coir::deadline;
using coir::detail::time_point;
using coir::test::firings;
using coir::test::recorded_timer;
namespace data = boost::unit_test::data;

namespace {

// The queue and its model side by side.
class pair_of_queues {
public:
    explicit pair_of_queues(unsigned seed) : random_(seed) {
        for (int i = 0; i != timer_count; ++i) {
            timers_.emplace_back(fired_, i);
        }
    }
    ~pair_of_queues() {
        for (recorded_timer& t : timers_) {
            queue_.cancel(t);
        }
    }

    void arm_one() { arm(any_timer(), now_ + any_distance()); }

    // Several timers at one instant, so that ties are common.
    void arm_some_alike() {
        const time_point due = now_ + any_distance();
        for (int i = 0; i != 5; ++i) {
            arm(any_timer(), due);
        }
    }

    void arm_one_in_the_past() { arm(any_timer(), now_ - any_distance()); }

    void cancel_one() {
        recorded_timer& t = any_timer();
        queue_.cancel(t);
        forget(t.id);
        exact_ = false;
    }

    // What a scheduler does that slept too long.
    void advance() {
        now_ += any_distance();
        fire_and_compare();
    }

    // What a scheduler does that sleeps until next().
    void advance_to_next() {
        const deadline next = queue_.next();
        if (!next.is_never()) {
            now_ = std::max(now_, next.time());
            fire_and_compare();
        }
    }

    // Whether next(), size() and the armed timers are as the model says.
    bool agree() {
        const deadline next = queue_.next();
        if (queue_.size() != model_.size() || queue_.empty() != model_.empty()) {
            return false;
        }
        if (model_.empty()) {
            return next.is_never();
        }
        const deadline earliest = model_.begin()->first;
        return exact_ ? next == earliest : next <= earliest;
    }

    bool firings_agree() const { return firings_agree_; }
    void step();

private:
    static constexpr int timer_count = 200;

    recorded_timer& any_timer() {
        return timers_[std::uniform_int_distribution<std::size_t>(0, timer_count - 1)(random_)];
    }

    // All orders of magnitude alike: from a nanosecond to some months.
    std::chrono::nanoseconds any_distance() {
        const int bits = std::uniform_int_distribution<int>(0, 53)(random_);
        return std::chrono::nanoseconds(
            std::uniform_int_distribution<std::int64_t>(0, std::int64_t{1} << bits)(random_));
    }

    void arm(recorded_timer& t, time_point due) {
        exact_ = exact_ && !t.is_armed();
        forget(t.id);
        model_.emplace(due, t.id);
        queue_.arm(t, due);
    }

    void forget(int id) {
        const auto it = std::find_if(model_.begin(), model_.end(),
                                     [&](const auto& entry) { return entry.second == id; });
        if (it != model_.end()) {
            model_.erase(it);
        }
    }

    void fire_and_compare() {
        firings expected;
        const auto end = model_.upper_bound(now_);
        for (auto it = model_.begin(); it != end; ++it) {
            expected.push_back(it->second);
        }
        model_.erase(model_.begin(), end);
        fired_.clear();
        const std::size_t count = queue_.fire_due(now_);
        firings_agree_ = firings_agree_ && fired_ == expected && count == expected.size();
    }

    std::mt19937 random_;
    time_point now_{std::chrono::hours(100'000)};
    firings fired_;
    std::deque<recorded_timer> timers_;
    coir::detail::timer_queue queue_{now_};
    std::multimap<time_point, int> model_;  // keeps equal keys in order of insertion
    bool exact_ = true;                     // nothing was cancelled yet, so no bound is stale
    bool firings_agree_ = true;
};

void pair_of_queues::step() {
    switch (std::uniform_int_distribution<int>(0, 15)(random_)) {
        case 0: return arm_some_alike();
        case 1: return arm_one_in_the_past();
        case 2:
        case 3: return cancel_one();
        case 4:
        case 5: return advance();
        case 6:
        case 7:
        case 8: return advance_to_next();
        default: return arm_one();
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(timer_queue_laws)

BOOST_DATA_TEST_CASE(random_programs_agree_with_a_sorted_list, data::xrange(1u, 41u), seed) {
    pair_of_queues queues(seed);
    for (int step = 0; step != 3000; ++step) {
        queues.step();
        if (!queues.firings_agree() || !queues.agree()) {
            BOOST_FAIL("the queue and its model differ after step " << step);
        }
    }
}

BOOST_DATA_TEST_CASE(next_is_exact_while_nothing_is_cancelled, data::xrange(1u, 41u), seed) {
    pair_of_queues queues(seed);
    for (int step = 0; step != 150; ++step) {
        queues.arm_one();
        queues.arm_some_alike();
        queues.advance_to_next();
        if (!queues.firings_agree() || !queues.agree()) {
            BOOST_FAIL("the queue and its model differ after step " << step);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
