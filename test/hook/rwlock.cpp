// SPDX-License-Identifier: BSL-1.0
// pthread's rwlocks, unmodified: fibers of one thread, of several, and threads.
#include "hook/callers.hpp"
#include "hook/pthread_objects.hpp"

#include <coir/cancellation.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <pthread.h>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <chrono>
#include <shared_mutex>
#include <string>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::run;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(pthread_rwlocks)

// libc would say EDEADLK to a fiber of the writer's thread, and nobody looks at that.
BOOST_DATA_TEST_CASE(who_comes_second_waits,
                     data::make(casts) * data::make({false, true}) * data::make({false, true}),
                     company, first_writes, second_writes) {
    const time_bomb limit;
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
    std::string order;
    coir::event locked;
    coir::event tried;
    company.play(
        [&] {
            COIR_MUST((first_writes ? pthread_rwlock_wrlock(&l) : pthread_rwlock_rdlock(&l)) == 0);
            order += "a";
            locked.set();
            tried.wait();
            coir::this_fiber::sleep_for(20ms);
            if (first_writes || second_writes) {
                order += "b";
            }
            COIR_MUST(pthread_rwlock_unlock(&l) == 0);
        },
        [&] {
            locked.wait();
            COIR_MUST(
                (second_writes ? pthread_rwlock_trywrlock(&l) : pthread_rwlock_tryrdlock(&l)) ==
                (first_writes || second_writes ? EBUSY : 0));
            tried.set();
            if (first_writes || second_writes) {
                COIR_MUST((second_writes ? pthread_rwlock_wrlock(&l) : pthread_rwlock_rdlock(&l)) ==
                          0);
            }
            order += "c";
            COIR_MUST(pthread_rwlock_unlock(&l) == 0);
        });
    BOOST_TEST(order == (first_writes || second_writes ? "abc" : "ac"));
    BOOST_TEST(pthread_rwlock_destroy(&l) == 0);
}

BOOST_AUTO_TEST_CASE(a_writer_is_told_of_a_deadlock_with_itself) {
    const time_bomb limit;
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
    run([&] {
        BOOST_TEST(pthread_rwlock_wrlock(&l) == 0);
        BOOST_TEST(pthread_rwlock_wrlock(&l) == EDEADLK);
        BOOST_TEST(pthread_rwlock_rdlock(&l) == EDEADLK);
        BOOST_TEST(pthread_rwlock_trywrlock(&l) == EBUSY);
        BOOST_TEST(pthread_rwlock_unlock(&l) == 0);
        BOOST_TEST(pthread_rwlock_wrlock(&l) == 0);
        BOOST_TEST(pthread_rwlock_unlock(&l) == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_reader_may_read_again_while_a_writer_waits) {
    const time_bomb limit;
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
    in_fibers(
        [&] {
            BOOST_TEST(pthread_rwlock_rdlock(&l) == 0);
            coir::this_fiber::sleep_for(5ms);
            BOOST_TEST(pthread_rwlock_rdlock(&l) == 0);
            BOOST_TEST(pthread_rwlock_unlock(&l) == 0);
            BOOST_TEST(pthread_rwlock_unlock(&l) == 0);
        },
        [&] {
            BOOST_TEST(pthread_rwlock_wrlock(&l) == 0);
            BOOST_TEST(pthread_rwlock_unlock(&l) == 0);
        });
}

BOOST_AUTO_TEST_CASE(a_writer_comes_first_where_the_lock_prefers_writers) {
    const time_bomb limit;
    pthread_rwlock_t l = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
    std::string order;
    run([&] {
        pthread_rwlock_rdlock(&l);
        coir::fiber writer([&] {
            pthread_rwlock_wrlock(&l);
            order += "w";
            pthread_rwlock_unlock(&l);
        });
        coir::this_fiber::yield();
        coir::fiber reader([&] {
            pthread_rwlock_rdlock(&l);
            order += "r";
            pthread_rwlock_unlock(&l);
        });
        coir::this_fiber::yield();
        BOOST_TEST(order == "");
        pthread_rwlock_unlock(&l);
        writer.join();
        reader.join();
    });
    BOOST_TEST(order == "wr");
}

BOOST_DATA_TEST_CASE(a_wait_with_a_deadline_ends_in_time, data::make(casts), company) {
    const time_bomb limit;
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
    coir::event locked;
    coir::event tried;
    company.play(
        [&] {
            pthread_rwlock_wrlock(&l);
            locked.set();
            tried.wait();
            pthread_rwlock_unlock(&l);
        },
        [&] {
            locked.wait();
            timespec until = after(CLOCK_REALTIME, 5ms);
            COIR_MUST(pthread_rwlock_timedrdlock(&l, &until) == ETIMEDOUT);
            until = after(CLOCK_REALTIME, 5ms);
            COIR_MUST(pthread_rwlock_timedwrlock(&l, &until) == ETIMEDOUT);
            until = after(CLOCK_MONOTONIC, 5ms);
            COIR_MUST(pthread_rwlock_clockrdlock(&l, CLOCK_MONOTONIC, &until) == ETIMEDOUT);
            until = after(CLOCK_MONOTONIC, 5ms);
            COIR_MUST(pthread_rwlock_clockwrlock(&l, CLOCK_MONOTONIC, &until) == ETIMEDOUT);
            tried.set();
            until = after(CLOCK_REALTIME, 30s);
            COIR_MUST(pthread_rwlock_timedwrlock(&l, &until) == 0);
            COIR_MUST(pthread_rwlock_unlock(&l) == 0);
        });
}

BOOST_AUTO_TEST_CASE(a_lock_that_a_thread_holds_for_long_does_not_block_the_carrier) {
    const time_bomb limit;
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
    coir::event locked;
    coir::event told;
    run([&] {
        std::thread owner([&] {
            pthread_rwlock_rdlock(&l);
            locked.set();
            told.wait();
            pthread_rwlock_unlock(&l);
        });
        coir::fiber waiting([&] {
            locked.wait();
            pthread_rwlock_wrlock(&l);
            pthread_rwlock_unlock(&l);
        });
        coir::fiber teller([&] {
            locked.wait();
            coir::this_fiber::sleep_for(5ms);
            told.set();
        });
        waiting.join();
        owner.join();
    });
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(locking_is_no_cancellation_point) {
    const time_bomb limit;
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
    in_fibers(
        [&] {
            pthread_rwlock_wrlock(&l);
            coir::this_fiber::sleep_for(10ms);
            pthread_rwlock_unlock(&l);
        },
        [&] {
            coir::cancel_scope scope;
            scope.run([&] {
                scope.cancel();
                BOOST_TEST(pthread_rwlock_rdlock(&l) == 0);
                BOOST_TEST(pthread_rwlock_unlock(&l) == 0);
            });
        });
}

BOOST_DATA_TEST_CASE(shared_mutexes_of_std_are_the_same, data::make(casts), company) {
    const time_bomb limit;
    std::shared_timed_mutex l;
    std::atomic<int> writing{0};
    const auto part = [&] {
        for (int i = 0; i < 10; ++i) {
            {
                const std::unique_lock lock(l);
                COIR_MUST(++writing == 1);
                coir::this_fiber::sleep_for(200us);
                --writing;
            }
            while (!l.try_lock_shared_for(1ms)) {
            }
            COIR_MUST(writing == 0);
            coir::this_fiber::sleep_for(200us);
            l.unlock_shared();
        }
    };
    company.play(part, part);
    BOOST_TEST(writing == 0);
}

BOOST_AUTO_TEST_SUITE_END()
