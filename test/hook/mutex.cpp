// SPDX-License-Identifier: BSL-1.0
// pthread's mutexes, unmodified: fibers of one thread, of several, and threads.
#include "hook/callers.hpp"
#include "hook/pthread_objects.hpp"

#include <coir/cancellation.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <pthread.h>
#include <threads.h>
#include <algorithm>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::run;
namespace data = boost::unit_test::data;

namespace {

constexpr int kinds[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
                         PTHREAD_MUTEX_ADAPTIVE_NP};

}  // namespace

BOOST_AUTO_TEST_SUITE(pthread_mutexes)

BOOST_DATA_TEST_CASE(who_comes_second_waits, data::make(casts) * data::make(kinds), company, kind) {
    const time_bomb limit;
    made_mutex m(kind);
    std::string order;
    coir::event locked;
    coir::event tried;
    company.play(
        [&] {
            COIR_MUST(pthread_mutex_lock(&m) == 0);
            order += "a";
            locked.set();
            tried.wait();
            coir::this_fiber::sleep_for(20ms);
            order += "b";
            COIR_MUST(pthread_mutex_unlock(&m) == 0);
        },
        [&] {
            locked.wait();
            COIR_MUST(pthread_mutex_trylock(&m) == EBUSY);
            tried.set();
            COIR_MUST(pthread_mutex_lock(&m) == 0);
            order += "c";
            COIR_MUST(pthread_mutex_unlock(&m) == 0);
        });
    BOOST_TEST(order == "abc");
}

BOOST_AUTO_TEST_CASE(a_mutex_with_priority_inheritance_does_as_well) {
    const time_bomb limit;
    made_mutex m(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT);
    bool held = false;
    const auto part = [&] {
        COIR_MUST(pthread_mutex_lock(&m) == 0);
        COIR_MUST(!std::exchange(held, true));
        coir::this_fiber::sleep_for(5ms);
        held = false;
        COIR_MUST(pthread_mutex_unlock(&m) == 0);
    };
    for (const cast& company : casts) {
        company.play(part, part);
    }
}

// The second fiber of a thread would get in, for to libc it is the owner.
BOOST_DATA_TEST_CASE(a_recursive_mutex_is_owned_by_a_fiber, data::make(casts), company) {
    const time_bomb limit;
    made_mutex m(PTHREAD_MUTEX_RECURSIVE);
    int inside = 0;
    const auto part = [&] {
        COIR_MUST(pthread_mutex_lock(&m) == 0);
        COIR_MUST(++inside == 1);
        COIR_MUST(pthread_mutex_lock(&m) == 0);
        coir::this_fiber::sleep_for(5ms);
        COIR_MUST(pthread_mutex_trylock(&m) == 0);
        COIR_MUST(pthread_mutex_unlock(&m) == 0);
        COIR_MUST(pthread_mutex_unlock(&m) == 0);
        coir::this_fiber::sleep_for(5ms);
        COIR_MUST(inside-- == 1);
        COIR_MUST(pthread_mutex_unlock(&m) == 0);
    };
    company.play(part, part);
}

#ifndef __SANITIZE_THREAD__  // which reports whoever tries

BOOST_DATA_TEST_CASE(only_the_owner_unlocks_what_knows_its_owner,
                     data::make(casts) *
                         data::make({PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK}),
                     company, kind) {
    const time_bomb limit;
    made_mutex m(kind);
    coir::event locked;
    coir::event tried;
    company.play(
        [&] {
            COIR_MUST(pthread_mutex_lock(&m) == 0);
            locked.set();
            tried.wait();
            COIR_MUST(pthread_mutex_unlock(&m) == 0);
        },
        [&] {
            locked.wait();
            COIR_MUST(pthread_mutex_unlock(&m) == EPERM);
            tried.set();
        });
}

BOOST_AUTO_TEST_CASE(a_fiber_owns_nothing_after_its_last_unlock) {
    const time_bomb limit;
    made_mutex m(PTHREAD_MUTEX_RECURSIVE);
    run([&] {
        BOOST_TEST(pthread_mutex_lock(&m) == 0);
        BOOST_TEST(pthread_mutex_unlock(&m) == 0);
        BOOST_TEST(pthread_mutex_unlock(&m) == EPERM);
    });
}

#endif

BOOST_AUTO_TEST_CASE(an_error_checking_mutex_tells_its_fiber_of_a_deadlock) {
    const time_bomb limit;
    made_mutex m(PTHREAD_MUTEX_ERRORCHECK);
    run([&] {
        BOOST_TEST(pthread_mutex_lock(&m) == 0);
        BOOST_TEST(pthread_mutex_lock(&m) == EDEADLK);
        BOOST_TEST(pthread_mutex_trylock(&m) == EBUSY);
        BOOST_TEST(pthread_mutex_unlock(&m) == 0);
    });
}

BOOST_AUTO_TEST_CASE(what_the_thread_locked_before_its_fibers_ran_is_libcs_affair) {
    const time_bomb limit;
    made_mutex recursive(PTHREAD_MUTEX_RECURSIVE);
    made_mutex checking(PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_lock(&recursive);
    pthread_mutex_lock(&checking);
    run([&] {
        BOOST_TEST(pthread_mutex_lock(&recursive) == 0);
        BOOST_TEST(pthread_mutex_unlock(&recursive) == 0);
        BOOST_TEST(pthread_mutex_lock(&checking) == EDEADLK);
    });
    BOOST_TEST(pthread_mutex_unlock(&recursive) == 0);
    BOOST_TEST(pthread_mutex_unlock(&checking) == 0);
}

BOOST_DATA_TEST_CASE(a_wait_with_a_deadline_ends_in_time, data::make(casts), company) {
    const time_bomb limit;
    made_mutex m(PTHREAD_MUTEX_NORMAL);
    coir::event locked;
    coir::event tried;
    company.play(
        [&] {
            pthread_mutex_lock(&m);
            locked.set();
            tried.wait();
            pthread_mutex_unlock(&m);
        },
        [&] {
            locked.wait();
            for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
                const timespec until = after(clock, 20ms);
                COIR_MUST((clock == CLOCK_REALTIME
                               ? pthread_mutex_timedlock(&m, &until)
                               : pthread_mutex_clocklock(&m, clock, &until)) == ETIMEDOUT);
                const timespec now = after(clock, 0ms);
                COIR_MUST(now.tv_sec > until.tv_sec ||
                          (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
            }
            const timespec passed{1, 0};
            COIR_MUST(pthread_mutex_timedlock(&m, &passed) == ETIMEDOUT);
            const timespec invalid{1, 1'000'000'000};
            COIR_MUST(pthread_mutex_timedlock(&m, &invalid) == EINVAL);
            tried.set();
            const timespec later = after(CLOCK_REALTIME, 30s);
            COIR_MUST(pthread_mutex_timedlock(&m, &later) == 0);
            COIR_MUST(pthread_mutex_unlock(&m) == 0);
        });
}

// Blocking the thread for it would keep the others from running that the owner waits for.
BOOST_AUTO_TEST_CASE(a_mutex_that_a_thread_holds_for_long_does_not_block_the_carrier) {
    const time_bomb limit;
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    coir::event locked;
    coir::event told;
    run([&] {
        std::thread owner([&] {
            pthread_mutex_lock(&m);
            locked.set();
            told.wait();
            pthread_mutex_unlock(&m);
        });
        coir::fiber waiting([&] {
            locked.wait();
            pthread_mutex_lock(&m);
            pthread_mutex_unlock(&m);
        });
        coir::fiber teller([&] {
            locked.wait();
            coir::this_fiber::sleep_for(20ms);
            told.set();
        });
        waiting.join();
        owner.join();
    });
}

BOOST_AUTO_TEST_CASE(carriers_whose_fibers_wait_for_each_other_go_on) {
    const time_bomb limit;
    pthread_mutex_t on_first = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t on_second = PTHREAD_MUTEX_INITIALIZER;
    coir::event both_held;
    std::atomic<int> held{0};
    const auto hold = [&](pthread_mutex_t& mine, coir::event& until) {
        pthread_mutex_lock(&mine);
        if (++held == 2) {
            both_held.set();
        }
        until.wait();
        pthread_mutex_unlock(&mine);
    };
    const auto take = [&](pthread_mutex_t& other) {
        both_held.wait();
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
    };
    coir::run_options options;
    options.threads = 2;
    run(options, [&] {
        coir::event first_may;
        coir::event second_may;
        coir::fiber holders[] = {coir::spawn_on(0, [&] { hold(on_first, first_may); }),
                                 coir::spawn_on(1, [&] { hold(on_second, second_may); })};
        coir::fiber takers[] = {coir::spawn_on(0, [&] { take(on_second); }),
                                coir::spawn_on(1, [&] { take(on_first); })};
        // What lets the owners go on runs on the carriers whose fibers wait for them.
        coir::fiber tellers[] = {coir::spawn_on(0,
                                                [&] {
                                                    both_held.wait();
                                                    coir::this_fiber::sleep_for(20ms);
                                                    second_may.set();
                                                }),
                                 coir::spawn_on(1, [&] {
                                     both_held.wait();
                                     coir::this_fiber::sleep_for(20ms);
                                     first_may.set();
                                 })};
        for (auto* const all : {holders, takers, tellers}) {
            all[0].join();
            all[1].join();
        }
    });
}

// libc releases the mutex inside pthread_cond_wait(), where nobody sees it.
BOOST_AUTO_TEST_CASE(a_mutex_that_a_thread_gives_up_to_wait_is_found_free) {
    const time_bomb limit;
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    bool done = false;
    coir::event locked;
    run([&] {
        std::thread waiting([&] {
            pthread_mutex_lock(&m);
            locked.set();
            std::this_thread::sleep_for(20ms);  // the fiber parks meanwhile
            while (!done) {
                pthread_cond_wait(&c, &m);
            }
            pthread_mutex_unlock(&m);
        });
        locked.wait();
        pthread_mutex_lock(&m);
        done = true;
        pthread_mutex_unlock(&m);
        pthread_cond_signal(&c);
        waiting.join();
    });
}

BOOST_AUTO_TEST_CASE(trying_again_and_again_does_not_keep_the_owner_from_running) {
    const time_bomb limit;
    for (const int kind : kinds) {
        made_mutex m(kind);
        in_fibers(
            [&] {
                pthread_mutex_lock(&m);
                coir::this_fiber::sleep_for(1ms);
                pthread_mutex_unlock(&m);
            },
            [&] {
                while (pthread_mutex_trylock(&m) != 0) {
                }
                pthread_mutex_unlock(&m);
            });
    }
}

// It would take the lock again before the other one has run, for ever.
BOOST_DATA_TEST_CASE(a_fiber_that_locks_again_at_once_does_not_keep_a_lock_for_itself,
                     data::make({0, 1}) *
                         data::make({PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE}),
                     second_carrier, kind) {
    const time_bomb limit;
    made_mutex m(kind);
    std::atomic<bool> over{false};
    coir::event held;
    coir::run_options options;
    options.threads = 2;
    run(options, [&] {
        coir::fiber greedy = coir::spawn_on(0, [&] {
            while (!over) {
                pthread_mutex_lock(&m);
                held.set();
                coir::this_fiber::sleep_for(1ms);
                if (kind == PTHREAD_MUTEX_RECURSIVE) {
                    pthread_mutex_lock(&m);  // whoever waits
                    pthread_mutex_unlock(&m);
                }
                pthread_mutex_unlock(&m);
            }
        });
        coir::fiber modest = coir::spawn_on(second_carrier, [&] {
            held.wait();
            for (int i = 0; i < 3; ++i) {
                pthread_mutex_lock(&m);
                pthread_mutex_unlock(&m);
            }
            over = true;
        });
        modest.join();
        greedy.join();
    });
}

BOOST_AUTO_TEST_CASE(locking_is_no_cancellation_point) {
    const time_bomb limit;
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    in_fibers(
        [&] {
            pthread_mutex_lock(&m);
            coir::this_fiber::sleep_for(20ms);
            pthread_mutex_unlock(&m);
        },
        [&] {
            coir::cancel_scope scope;
            scope.run([&] {
                scope.cancel();
                BOOST_TEST(pthread_mutex_lock(&m) == 0);
                BOOST_TEST(pthread_mutex_unlock(&m) == 0);
                BOOST_TEST(pthread_mutex_lock(&m) == 0);
                BOOST_TEST(pthread_mutex_unlock(&m) == 0);
            });
        });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_locks_twice_waits_for_itself) {
    const time_bomb limit;
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    run([&] {
        pthread_mutex_lock(&m);
        const timespec until = after(CLOCK_MONOTONIC, 10ms);
        BOOST_TEST(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &until) == ETIMEDOUT);
        pthread_mutex_unlock(&m);
    });
}

BOOST_AUTO_TEST_CASE(many_fibers_pass_one_after_the_other) {
    const time_bomb limit;
    std::mutex m;
    std::vector<int> order;
    run([&] {
        std::vector<coir::fiber> crowd;
        for (int i = 0; i < 200; ++i) {
            crowd.emplace_back([&, i] {
                const std::lock_guard guard(m);
                coir::this_fiber::yield();
                order.push_back(i);
            });
        }
        for (coir::fiber& one : crowd) {
            one.join();
        }
    });
    BOOST_TEST(order.size() == 200U);
    BOOST_TEST(std::is_sorted(order.begin(), order.end()));
}

BOOST_DATA_TEST_CASE(mutexes_of_std_are_the_same, data::make(casts), company) {
    const time_bomb limit;
    std::timed_mutex timed;
    std::recursive_timed_mutex recursive;
    int inside = 0;
    const auto part = [&] {
        for (int i = 0; i < 5; ++i) {
            // By the system clock: ThreadSanitizer does not know pthread_mutex_clocklock().
            while (!timed.try_lock_until(std::chrono::system_clock::now() + 1ms)) {
            }
            const std::lock_guard twice(recursive);
            const std::lock_guard once_more(recursive);
            COIR_MUST(++inside == 1);
            coir::this_fiber::sleep_for(1ms);
            --inside;
            timed.unlock();
        }
    };
    company.play(part, part);
}

BOOST_DATA_TEST_CASE(mutexes_of_c11_are_the_same, data::make(casts), company) {
    const time_bomb limit;
    mtx_t m;
    BOOST_TEST(mtx_init(&m, mtx_timed | mtx_recursive) == thrd_success);
    int inside = 0;
    coir::event locked;
    company.play(
        [&] {
            COIR_MUST(mtx_lock(&m) == thrd_success);
            COIR_MUST(mtx_lock(&m) == thrd_success);
            locked.set();
            COIR_MUST(++inside == 1);
            coir::this_fiber::sleep_for(20ms);
            COIR_MUST(inside-- == 1);
            mtx_unlock(&m);
            mtx_unlock(&m);
        },
        [&] {
            locked.wait();
            COIR_MUST(mtx_trylock(&m) == thrd_busy);
            const timespec until = after(CLOCK_REALTIME, 1ms);
            COIR_MUST(mtx_timedlock(&m, &until) == thrd_timedout);
            COIR_MUST(mtx_lock(&m) == thrd_success);
            COIR_MUST(inside == 0);
            mtx_unlock(&m);
        });
    mtx_destroy(&m);
}

BOOST_AUTO_TEST_SUITE_END()
