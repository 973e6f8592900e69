// SPDX-License-Identifier: BSL-1.0
// pthread's condition variables, unmodified: fibers of one thread, of several, and threads.
#include "hook/callers.hpp"
#include "hook/pthread_objects.hpp"

#include <coir/cancellation.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <pthread.h>
#include <threads.h>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::run;
namespace data = boost::unit_test::data;

namespace {

void init(pthread_cond_t& c, clockid_t clock) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, clock);
    pthread_cond_init(&c, &attributes);
    pthread_condattr_destroy(&attributes);
}

std::chrono::nanoseconds time_taken(const std::function<void()>& by) {
    const auto begun = std::chrono::steady_clock::now();
    by();
    return std::chrono::steady_clock::now() - begun;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pthread_conditions)

BOOST_DATA_TEST_CASE(a_signal_wakes_who_waits, data::make(casts), company) {
    const time_bomb limit;
    awaited_number c;
    company.play(
        [&] {
            for (int i = 1; i < 200; i += 2) {
                c.await(i);
                c.set(i + 1);
            }
        },
        [&] {
            for (int i = 0; i < 200; i += 2) {
                c.await(i);
                c.set(i + 1);
            }
        });
    BOOST_TEST(c.value == 200);
}

BOOST_DATA_TEST_CASE(a_signal_with_the_mutex_held_does_too, data::make(casts), company) {
    const time_bomb limit;
    awaited_number c;
    company.play([&] { c.await(1); },
                 [&] {
                     pthread_mutex_lock(&c.mutex);
                     c.value = 1;
                     pthread_cond_signal(&c.changed);
                     coir::this_fiber::sleep_for(5ms);
                     pthread_mutex_unlock(&c.mutex);
                 });
    BOOST_TEST(c.value == 1);
}

// Of both kinds, on two carriers, at once.
BOOST_AUTO_TEST_CASE(a_broadcast_wakes_all_fibers_and_threads) {
    const time_bomb limit;
    awaited_number c;
    std::atomic<int> waiting{0};
    std::atomic<int> passed{0};
    const auto wait = [&] {
        pthread_mutex_lock(&c.mutex);
        ++waiting;
        while (c.value == 0) {
            pthread_cond_wait(&c.changed, &c.mutex);
        }
        ++passed;
        pthread_mutex_unlock(&c.mutex);
    };
    coir::run_options options;
    options.threads = 2;
    run(options, [&] {
        std::thread threads[] = {std::thread(wait), std::thread(wait)};
        std::vector<coir::fiber> fibers;
        for (int i = 0; i < 20; ++i) {
            fibers.push_back(coir::spawn_on(i % 2, wait));
        }
        while (waiting != 22) {
            coir::this_fiber::sleep_for(1ms);
        }
        pthread_mutex_lock(&c.mutex);
        c.value = 1;
        pthread_cond_broadcast(&c.changed);
        pthread_mutex_unlock(&c.mutex);
        for (coir::fiber& one : fibers) {
            one.join();
        }
        for (std::thread& one : threads) {
            one.join();
        }
    });
    BOOST_TEST(passed == 22);
}

// A signal for each, and no more: the fibers take none away from the threads, nor the other way.
BOOST_AUTO_TEST_CASE(as_many_signals_as_there_are_waiters_are_enough) {
    const time_bomb limit;
    awaited_number c;
    int waiting = 0;
    const auto wait = [&] {
        pthread_mutex_lock(&c.mutex);
        ++waiting;
        while (c.value == 0) {
            pthread_cond_wait(&c.changed, &c.mutex);
        }
        --c.value;
        pthread_mutex_unlock(&c.mutex);
    };
    run([&] {
        std::thread threads[] = {std::thread(wait), std::thread(wait)};
        coir::fiber fibers[] = {coir::fiber(wait), coir::fiber(wait)};
        const auto all_wait = [&] {
            const std::unique_ptr<pthread_mutex_t, int (*)(pthread_mutex_t*)> guard(
                (pthread_mutex_lock(&c.mutex), &c.mutex), pthread_mutex_unlock);
            return waiting == 4;
        };
        while (!all_wait()) {
            coir::this_fiber::sleep_for(1ms);
        }
        for (int i = 0; i < 4; ++i) {
            pthread_mutex_lock(&c.mutex);
            ++c.value;
            pthread_mutex_unlock(&c.mutex);
            pthread_cond_signal(&c.changed);
        }
        for (coir::fiber& one : fibers) {
            one.join();
        }
        for (std::thread& one : threads) {
            one.join();
        }
    });
    BOOST_TEST(c.value == 0);
}

BOOST_DATA_TEST_CASE(a_deadline_goes_by_the_clock_of_the_condition,
                     data::make({CLOCK_REALTIME, CLOCK_MONOTONIC}), clock) {
    const time_bomb limit;
    run([&] {
        pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t c;
        init(c, clock);
        pthread_mutex_lock(&m);
        const timespec until = after(clock, 20ms);
        // By the wrong clock it would have passed decades ago, or come in decades.
        const auto taken =
            time_taken([&] { BOOST_TEST(pthread_cond_timedwait(&c, &m, &until) == ETIMEDOUT); });
        BOOST_TEST((taken > 15ms));
        const timespec more = after(clock, 20ms);
        BOOST_TEST(pthread_cond_clockwait(&c, &m, clock, &more) == ETIMEDOUT);
        const timespec passed{1, 0};
        BOOST_TEST(pthread_cond_timedwait(&c, &m, &passed) == ETIMEDOUT);
        const timespec invalid{1, -1};
        BOOST_TEST(pthread_cond_timedwait(&c, &m, &invalid) == EINVAL);
        BOOST_TEST(pthread_mutex_trylock(&m) == EBUSY);  // it is held after each
        BOOST_TEST(pthread_mutex_unlock(&m) == 0);
        pthread_cond_destroy(&c);
    });
}

BOOST_DATA_TEST_CASE(a_clockwait_names_its_clock, data::make({CLOCK_REALTIME, CLOCK_MONOTONIC}),
                     of_the_condition) {
    const time_bomb limit;
    run([&] {
        pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t c;
        init(c, of_the_condition);
        pthread_mutex_lock(&m);
        for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
            const timespec until = after(clock, 20ms);
            const auto taken = time_taken(
                [&] { BOOST_TEST(pthread_cond_clockwait(&c, &m, clock, &until) == ETIMEDOUT); });
            BOOST_TEST((taken > 15ms));
        }
        pthread_mutex_unlock(&m);
    });
}

#ifndef __SANITIZE_THREAD__  // which reports whoever tries

BOOST_AUTO_TEST_CASE(who_has_not_locked_an_error_checking_mutex_does_not_wait) {
    const time_bomb limit;
    made_mutex m(PTHREAD_MUTEX_ERRORCHECK);
    run([&] {
        pthread_cond_t c = PTHREAD_COND_INITIALIZER;
        BOOST_TEST(pthread_cond_wait(&c, &m) == EPERM);
        BOOST_TEST(pthread_mutex_lock(&m) == 0);
        BOOST_TEST(pthread_mutex_unlock(&m) == 0);
    });
}

#endif

BOOST_AUTO_TEST_CASE(a_recursive_mutex_is_released_and_owned_again) {
    const time_bomb limit;
    made_mutex m(PTHREAD_MUTEX_RECURSIVE);
    pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    bool done = false;
    in_fibers(
        [&] {
            pthread_mutex_lock(&m);
            while (!done) {
                pthread_cond_wait(&c, &m);
            }
            BOOST_TEST(pthread_mutex_lock(&m) == 0);
            BOOST_TEST(pthread_mutex_unlock(&m) == 0);
            BOOST_TEST(pthread_mutex_unlock(&m) == 0);
        },
        [&] {
            pthread_mutex_lock(&m);
            done = true;
            pthread_cond_signal(&c);
            pthread_mutex_unlock(&m);
        });
}

// POSIX lets whoever has woken everybody destroy it.
BOOST_AUTO_TEST_CASE(a_condition_may_go_when_nobody_waits_any_more) {
    const time_bomb limit;
    run([&] {
        pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
        auto c = std::make_unique<pthread_cond_t>();
        pthread_cond_init(c.get(), nullptr);
        coir::fiber waiting([&m, &c] {
            pthread_mutex_lock(&m);
            pthread_cond_wait(c.get(), &m);
            pthread_mutex_unlock(&m);
        });
        coir::this_fiber::yield();
        pthread_mutex_lock(&m);
        pthread_cond_broadcast(c.get());
        pthread_mutex_unlock(&m);
        pthread_cond_destroy(c.get());
        c.reset();
        waiting.join();
    });
    BOOST_TEST(true);
}

// --- Cancellation ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_deadline_of_a_scope_ends_a_wait_that_has_one_of_its_own) {
    const time_bomb limit;
    awaited_number c;
    run([&] {
        BOOST_CHECK_THROW(
            coir::with_timeout(20ms,
                               [&] {
                                   pthread_mutex_lock(&c.mutex);
                                   const timespec until = after(CLOCK_REALTIME, 50s);
                                   BOOST_TEST(pthread_cond_timedwait(&c.changed, &c.mutex,
                                                                     &until) == ETIMEDOUT);
                                   BOOST_TEST(pthread_mutex_trylock(&c.mutex) == EBUSY);
                                   pthread_mutex_unlock(&c.mutex);
                               }),
            coir::timed_out);
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_scope_ends_a_wait_without_an_error) {
    const time_bomb limit;
    awaited_number c;
    run([&] {
        coir::cancel_scope scope;
        coir::fiber waiting([&] {
            scope.run([&] {
                pthread_mutex_lock(&c.mutex);
                BOOST_TEST(pthread_cond_wait(&c.changed, &c.mutex) == 0);
                BOOST_TEST(pthread_mutex_trylock(&c.mutex) == EBUSY);
                pthread_mutex_unlock(&c.mutex);
            });
        });
        coir::this_fiber::sleep_for(5ms);
        scope.cancel();
        waiting.join();
    });
}

// Neither by spinning, which would keep the other one from running, nor by missing the signal.
BOOST_AUTO_TEST_CASE(a_loop_in_a_cancelled_scope_waits_for_its_signal) {
    const time_bomb limit;
    awaited_number c;
    int rounds = 0;
    run([&] {
        coir::fiber waiting([&] {
            coir::cancel_scope scope;
            scope.run([&] {
                scope.cancel();
                pthread_mutex_lock(&c.mutex);
                while (c.value == 0) {
                    pthread_cond_wait(&c.changed, &c.mutex);
                    ++rounds;
                }
                pthread_mutex_unlock(&c.mutex);
            });
        });
        coir::fiber setting([&] {
            coir::this_fiber::sleep_for(100ms);
            c.set(1);
        });
        waiting.join();
        setting.join();
    });
    BOOST_TEST(rounds >= 2);
    BOOST_TEST(rounds <= 12);
}

BOOST_AUTO_TEST_CASE(a_scope_of_a_plain_thread_reaches_in) {
    const time_bomb limit;
    awaited_number c;
    BOOST_CHECK_THROW(coir::with_timeout(20ms,
                                         [&] {
                                             pthread_mutex_lock(&c.mutex);
                                             const timespec until = after(CLOCK_REALTIME, 50s);
                                             while (pthread_cond_timedwait(&c.changed, &c.mutex,
                                                                           &until) != ETIMEDOUT) {
                                             }
                                             pthread_mutex_unlock(&c.mutex);
                                         }),
                      coir::timed_out);
}

// --- Other faces -------------------------------------------------------------------------------

BOOST_DATA_TEST_CASE(condition_variables_of_std_are_the_same, data::make(casts), company) {
    const time_bomb limit;
    std::mutex m;
    std::condition_variable c;
    std::condition_variable_any any;
    int value = 0;
    company.play(
        [&] {
            std::unique_lock lock(m);
            COIR_MUST(!c.wait_for(lock, 5ms, [&] { return value == -1; }));
            c.wait(lock, [&] { return value == 1; });
            value = 2;
            any.notify_all();
        },
        [&] {
            std::unique_lock lock(m);
            value = 1;
            c.notify_one();
            any.wait(lock, [&] { return value == 2; });
            lock.unlock();
        });
    BOOST_TEST(value == 2);
}

BOOST_DATA_TEST_CASE(conditions_of_c11_are_the_same, data::make(casts), company) {
    const time_bomb limit;
    mtx_t m;
    cnd_t c;
    mtx_init(&m, mtx_plain);
    cnd_init(&c);
    int value = 0;
    company.play(
        [&] {
            mtx_lock(&m);
            const timespec until = after(CLOCK_REALTIME, 1ms);
            while (value == 0) {
                const int result = cnd_timedwait(&c, &m, &until);
                COIR_MUST(result == thrd_success || result == thrd_timedout);
                if (result == thrd_timedout) {
                    break;
                }
            }
            while (value == 0) {
                COIR_MUST(cnd_wait(&c, &m) == thrd_success);
            }
            mtx_unlock(&m);
        },
        [&] {
            coir::this_fiber::sleep_for(5ms);
            mtx_lock(&m);
            value = 1;
            mtx_unlock(&m);
            cnd_signal(&c);
            cnd_broadcast(&c);
        });
    BOOST_TEST(value == 1);
    cnd_destroy(&c);
    mtx_destroy(&m);
}

BOOST_AUTO_TEST_SUITE_END()
