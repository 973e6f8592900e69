// SPDX-License-Identifier: BSL-1.0
// Locks that fibers of two carriers and a plain thread share. What they guard is no atomic, so that
// ThreadSanitizer sees whether a lock orders what its owners did. The tests end after a fixed
// amount of work; one that loses a hand-over hangs.
#include "unit/sync/threads.hpp"

#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <tuple>

using coir::test::on_two_carriers_and_a_thread;
using coir::test::participants;
using namespace std::chrono_literals;

namespace {

constexpr int rounds = 400;

using exclusive_locks =
    std::tuple<coir::mutex, coir::recursive_mutex, coir::timed_mutex, coir::recursive_timed_mutex,
               coir::shared_mutex, coir::shared_timed_mutex>;
using timed_locks =
    std::tuple<coir::timed_mutex, coir::recursive_timed_mutex, coir::shared_timed_mutex>;
using shared_locks = std::tuple<coir::shared_mutex, coir::shared_timed_mutex>;

}  // namespace

BOOST_AUTO_TEST_SUITE(locks_of_several_threads)

BOOST_AUTO_TEST_CASE_TEMPLATE(they_have_one_owner_at_a_time, Lock, exclusive_locks) {
    Lock lock;
    int value = 0;
    on_two_carriers_and_a_thread([&](int number) {
        for (int i = 0; i < rounds; ++i) {
            const std::lock_guard guard(lock);
            ++value;
            if (i % 16 == number) {
                coir::this_fiber::yield();
            }
        }
    });
    BOOST_TEST(value == participants * rounds);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_that_gives_up_is_no_owner_and_in_nobody_s_way, Lock,
                              timed_locks) {
    Lock lock;
    int value = 0;
    std::atomic<int> locked{0};
    on_two_carriers_and_a_thread([&](int number) {
        for (int i = 0; i < rounds; ++i) {
            if (number % 2 == 0) {
                lock.lock();
            } else if (!lock.try_lock_for(i % 3 * 1us)) {
                coir::this_fiber::sleep_for(1us);
                continue;
            }
            ++value;
            ++locked;
            lock.unlock();
        }
    });
    BOOST_TEST(value == locked);
    BOOST_TEST(value >= rounds * (participants / 2 + 1));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(shared_ones_keep_readers_and_writers_apart, Lock, shared_locks) {
    Lock lock;
    int value = 0;
    std::atomic<int> reading{0};
    std::atomic<bool> mixed{false};
    on_two_carriers_and_a_thread([&](int number) {
        for (int i = 0; i < rounds; ++i) {
            if ((i + number) % 4 == 0) {
                const std::unique_lock guard(lock);
                mixed = mixed || reading != 0;
                ++value;
            } else {
                const std::shared_lock guard(lock);
                ++reading;
                const int before = value;
                if (i % 16 == number) {
                    coir::this_fiber::yield();
                }
                mixed = mixed || before != value;
                --reading;
            }
        }
    });
    BOOST_TEST(!mixed);
    BOOST_TEST(value == participants * rounds / 4);
}

BOOST_AUTO_TEST_CASE(scoped_lock_takes_several_in_any_order) {
    coir::mutex a;
    coir::timed_mutex b;
    int value = 0;
    on_two_carriers_and_a_thread([&](int number) {
        for (int i = 0; i < rounds; ++i) {
            if ((i + number) % 2 == 0) {
                const std::scoped_lock both(a, b);
                ++value;
            } else {
                const std::scoped_lock both(b, a);
                ++value;
            }
        }
    });
    BOOST_TEST(value == participants * rounds);
}

BOOST_AUTO_TEST_CASE(a_function_is_called_once_and_everybody_sees_what_it_did) {
    for (int i = 0; i < 50; ++i) {
        coir::once_flag flag;
        int value = 0;
        std::atomic<int> failures{0};
        std::atomic<int> sum{0};
        on_two_carriers_and_a_thread([&](int) {
            for (;;) {
                try {
                    coir::call_once(flag, [&] {
                        coir::this_fiber::yield();
                        if (++failures < 3) {
                            throw 1;
                        }
                        ++value;
                    });
                    sum += value;
                    return;
                } catch (int) {
                }
            }
        });
        BOOST_TEST(value == 1);
        BOOST_TEST(sum == participants);
    }
}

BOOST_AUTO_TEST_SUITE_END()
