// SPDX-License-Identifier: BSL-1.0
// Goal: whatever the order of unlocks, deadlines and cancellations, a lock has one owner, or
// several that share it; who did not get it does not keep it from others; those who get it get it
// in the order in which they came; and when all is over it is free. Method: fibers lock and unlock
// at random on virtual time, and keep a record beside the lock. Each sample has a seed of its own,
// which is printed if it fails; COIR_TEST_SEED repeats a run.
#include "support/fiber_test.hpp"
#include "unit/sync/laws.hpp"

#include <coir/sync/mutex.hpp>
#include <coir/sync/recursive_mutex.hpp>
#include <coir/sync/recursive_timed_mutex.hpp>
#include <coir/sync/shared_mutex.hpp>
#include <coir/sync/timed_mutex.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

using coir::deadline;
using coir::test::random_world;
using coir::test::run_in_fiber_world;

namespace {

template <class Lock, class = void>
constexpr bool has_deadlines = false;
template <class Lock>
constexpr bool has_deadlines<
    Lock, std::void_t<decltype(std::declval<Lock&>().try_lock_until(deadline::never()))>> = true;

template <class Lock, class = void>
constexpr bool can_be_shared = false;
template <class Lock>
constexpr bool can_be_shared<Lock, std::void_t<decltype(std::declval<Lock&>().lock_shared())>> =
    true;

template <class Lock>
constexpr bool is_recursive = std::is_same_v<Lock, coir::recursive_mutex> ||
                              std::is_same_v<Lock, coir::recursive_timed_mutex>;

// A lock, and who should have it.
template <class Lock>
class law {
public:
    explicit law(unsigned seed) : world_(seed) {}

    void run() {
        world_.live(
            10, 40,
            [this] {
                if constexpr (can_be_shared<Lock>) {
                    if (world_.pick(2) == 0) {
                        return try_to_share();
                    }
                }
                return try_to_lock();
            },
            [this] { BOOST_TEST(!(lock_is_free() && waiting_ > 0)); });
        BOOST_TEST(alone_ == 0);
        BOOST_TEST(sharing_ == 0);
        BOOST_TEST(lock_.try_lock());
        lock_.unlock();
        BOOST_TEST(world_.seen.notified > 0);
        if constexpr (has_deadlines<Lock>) {
            BOOST_TEST(world_.seen.timed_out > 0);
        }
        BOOST_TEST(world_.seen.cancelled > 0);  // while it held the lock: never by locking
    }

private:
    bool try_to_lock() {
        const int ticket = arrive();
        bool got = true;
        if constexpr (has_deadlines<Lock>) {
            got = lock_.try_lock_until(world_.some_deadline());
        } else {
            lock_.lock();
        }
        check_turn(ticket, got, true);
        if (!got) {
            return false;
        }
        const held<&law::give_up> guard(*this);
        BOOST_TEST(++alone_ == 1);
        BOOST_TEST(sharing_ == 0);
        if constexpr (is_recursive<Lock>) {
            lock_.lock();
            lock_.unlock();
        }
        linger();
        return true;
    }

    bool try_to_share() {
        const int ticket = arrive();
        bool got = true;
        if constexpr (has_deadlines<Lock>) {
            got = lock_.try_lock_shared_until(world_.some_deadline());
        } else {
            lock_.lock_shared();
        }
        check_turn(ticket, got, false);
        if (!got) {
            return false;
        }
        const held<&law::give_share_up> guard(*this);
        ++sharing_;
        BOOST_TEST(alone_ == 0);
        linger();
        return true;
    }

    // Whoever gets the lock came after all that got it before; but those who share it may be given
    // it in one order and run in another.
    int arrive() {
        ++waiting_;
        return next_ticket_++;
    }
    void check_turn(int ticket, bool got, bool alone) {
        --waiting_;
        if (got) {
            BOOST_TEST(ticket > (alone ? last_ : last_alone_));
            last_ = std::max(last_, ticket);
            last_alone_ = alone ? ticket : last_alone_;
        }
    }

    bool lock_is_free() {
        if (!lock_.try_lock()) {
            return false;
        }
        lock_.unlock();
        return true;
    }

    void linger() {
        if (world_.pick(2) == 0) {
            coir::this_fiber::sleep_for(world_.moment(4));  // may be cancelled
        }
    }

    void give_up() {
        --alone_;
        lock_.unlock();
    }
    void give_share_up() {
        --sharing_;
        lock_.unlock_shared();
    }
    template <auto GiveUp>
    struct held {
        explicit held(law& of) : owner(of) {}
        held(const held&) = delete;
        held& operator=(const held&) = delete;
        ~held() { (owner.*GiveUp)(); }
        law& owner;
    };

    random_world world_;
    Lock lock_;
    int alone_ = 0;
    int sharing_ = 0;
    int next_ticket_ = 0;
    int waiting_ = 0;
    int last_ = -1;        // ticket of those who got it
    int last_alone_ = -1;  // and of those who got it alone
};

using all_locks =
    std::tuple<coir::mutex, coir::recursive_mutex, coir::timed_mutex, coir::recursive_timed_mutex,
               coir::shared_mutex, coir::shared_timed_mutex>;

}  // namespace

BOOST_AUTO_TEST_SUITE(lock_laws)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lock_has_one_owner_and_goes_to_whoever_came_first, Lock,
                              all_locks) {
    for (unsigned sample = 0; sample < 20; ++sample) {
        const unsigned seed = coir::test::seed_of_this_run() + sample;
        BOOST_TEST_CONTEXT("COIR_TEST_SEED=" << seed) {
            run_in_fiber_world([&] { law<Lock>(seed).run(); });
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
