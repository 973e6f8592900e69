// SPDX-License-Identifier: BSL-1.0
// POSIX semaphores, unmodified: fibers of one thread, of several, threads, and signal handlers.
#include "hook/callers.hpp"
#include "hook/pthread_objects.hpp"

#include <coir/cancellation.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <fcntl.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::run;
namespace data = boost::unit_test::data;

namespace coir::test {

struct made_semaphore {
    explicit made_semaphore(unsigned value = 0) { sem_init(&semaphore, 0, value); }
    made_semaphore(const made_semaphore&) = delete;
    made_semaphore& operator=(const made_semaphore&) = delete;
    ~made_semaphore() { sem_destroy(&semaphore); }
    sem_t* operator&() noexcept { return &semaphore; }
    int value() {
        int result = 0;
        sem_getvalue(&semaphore, &result);
        return result;
    }

    sem_t semaphore;
};

}  // namespace coir::test

namespace {

sem_t posted_by_handler;
std::atomic<int> posts{0};

void post_in_handler(int) {
    const int before = errno;
    sem_post(&posted_by_handler);
    ++posts;
    errno = before;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(semaphores)

BOOST_DATA_TEST_CASE(a_post_wakes_who_waits, data::make(casts), company) {
    const time_bomb limit;
    made_semaphore ping;
    made_semaphore pong;
    int balls = 0;
    company.play(
        [&] {
            for (int i = 0; i < 100; ++i) {
                COIR_MUST(sem_wait(&ping) == 0);
                ++balls;
                COIR_MUST(sem_post(&pong) == 0);
            }
        },
        [&] {
            for (int i = 0; i < 100; ++i) {
                COIR_MUST(sem_post(&ping) == 0);
                COIR_MUST(sem_wait(&pong) == 0);
            }
        });
    BOOST_TEST(balls == 100);
}

BOOST_AUTO_TEST_CASE(as_many_pass_as_were_posted) {
    const time_bomb limit;
    made_semaphore s(3);
    std::atomic<int> passed{0};
    coir::run_options options;
    options.threads = 2;
    run(options, [&] {
        const auto pass = [&] {
            COIR_MUST(sem_wait(&s) == 0);
            ++passed;
        };
        std::vector<coir::fiber> fibers;
        for (int i = 0; i < 40; ++i) {
            fibers.push_back(coir::spawn_on(i % 2, pass));
        }
        std::thread threads[] = {std::thread(pass), std::thread(pass)};
        for (int i = 0; i < 39; ++i) {
            sem_post(&s);
        }
        for (coir::fiber& one : fibers) {
            one.join();
        }
        for (std::thread& one : threads) {
            one.join();
        }
    });
    BOOST_TEST(passed == 42);
    BOOST_TEST(s.value() == 0);
}

BOOST_DATA_TEST_CASE(a_wait_with_a_deadline_ends_in_time, data::make(casts), company) {
    const time_bomb limit;
    made_semaphore s;
    std::atomic<bool> may_post{false};
    company.play(
        [&] {
            timespec until = after(CLOCK_REALTIME, 10ms);
            COIR_MUST(sem_timedwait(&s, &until) == -1 && errno == ETIMEDOUT);
            until = after(CLOCK_MONOTONIC, 10ms);
            COIR_MUST(sem_clockwait(&s, CLOCK_MONOTONIC, &until) == -1 && errno == ETIMEDOUT);
            const timespec invalid{1, -1};
            COIR_MUST(sem_timedwait(&s, &invalid) == -1 && errno == EINVAL);
            until = after(CLOCK_REALTIME, 30s);
            errno = 77;
            may_post = true;
            COIR_MUST(sem_timedwait(&s, &until) == 0 && errno == 77);
        },
        [&] {
            while (!may_post) {
                coir::this_fiber::sleep_for(1ms);
            }
            sem_post(&s);
        });
    BOOST_TEST(s.value() == 0);
}

// The handler interrupts whatever the thread does: the line of the semaphore that it posts, the
// scheduler's ready queue, the reactor.
BOOST_AUTO_TEST_CASE(a_post_in_a_signal_handler_wakes_a_fiber) {
    const time_bomb limit;
    sem_init(&posted_by_handler, 0, 0);
    posts = 0;
    std::signal(SIGUSR1, post_in_handler);
    const pthread_t target = pthread_self();
    std::atomic<bool> over{false};
    int taken = 0;
    run([&] {
        std::thread sender([&] {
            for (int i = 0; i < 500; ++i) {
                pthread_kill(target, SIGUSR1);
                const int sent = i;
                while (posts <= sent) {
                    std::this_thread::yield();
                }
            }
            over = true;
        });
        std::vector<coir::fiber> takers;
        for (int i = 0; i < 4; ++i) {
            takers.emplace_back([&] {
                while (taken < 500) {
                    COIR_MUST(sem_wait(&posted_by_handler) == 0);
                    ++taken;
                }
                sem_post(&posted_by_handler);  // for the others
            });
        }
        coir::fiber busy([&] {
            while (!over) {
                coir::this_fiber::yield();
            }
        });
        for (coir::fiber& one : takers) {
            one.join();
        }
        busy.join();
        sender.join();
    });
    std::signal(SIGUSR1, SIG_DFL);
    BOOST_TEST(taken >= 500);
    sem_destroy(&posted_by_handler);
}

BOOST_AUTO_TEST_CASE(a_post_of_another_process_is_seen) {
    const time_bomb limit;
    const std::string name = "/coir-test-" + std::to_string(::getpid());
    sem_t* const s = sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, 0);
    BOOST_REQUIRE(s != SEM_FAILED);
    sem_unlink(name.c_str());
    const pid_t child = ::fork();
    if (child == 0) {
        ::usleep(20'000);
        sem_post(s);
        ::_exit(0);
    }
    run([&] { BOOST_TEST(sem_wait(s) == 0); });
    ::waitpid(child, nullptr, 0);
    sem_close(s);
}

BOOST_AUTO_TEST_CASE(a_deadline_of_a_scope_ends_a_wait) {
    const time_bomb limit;
    made_semaphore s;
    const auto wait_in_vain = [&] {
        coir::with_timeout(20ms, [&] {
            BOOST_TEST(sem_wait(&s) == -1);
            BOOST_TEST(errno == ETIMEDOUT);
            sem_post(&s);
            BOOST_TEST(sem_wait(&s) == -1);  // though it need not wait
        });
    };
    run([&] { BOOST_CHECK_THROW(wait_in_vain(), coir::timed_out); });
    BOOST_TEST(s.value() == 1);
    sem_wait(&s);
    BOOST_CHECK_THROW(wait_in_vain(), coir::timed_out);  // on a plain thread
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_takes_nothing) {
    const time_bomb limit;
    made_semaphore s;
    run([&] {
        coir::cancel_scope scope;
        coir::fiber cancelled([&] {
            scope.run([&] {
                BOOST_TEST(sem_wait(&s) == -1);
                BOOST_TEST(errno == ECANCELED);
            });
        });
        coir::fiber second([&] { BOOST_TEST(sem_wait(&s) == 0); });
        coir::this_fiber::sleep_for(1ms);
        scope.cancel();
        sem_post(&s);
        cancelled.join();
        second.join();
    });
    BOOST_TEST(s.value() == 0);
}

// It is called and cancelled, in this order: the next one has to be called.
BOOST_AUTO_TEST_CASE(a_call_that_came_to_a_cancelled_one_is_passed_on) {
    const time_bomb limit;
    for (int i = 0; i < 100; ++i) {
        made_semaphore s;
        run([&] {
            std::vector<coir::fiber> crowd;
            for (int k = 0; k < 3; ++k) {
                crowd.emplace_back([&] { static_cast<void>(sem_wait(&s)); });
            }
            coir::this_fiber::yield();
            sem_post(&s);
            crowd[0].cancel();
            sem_post(&s);
            sem_post(&s);
            for (coir::fiber& one : crowd) {
                one.join();
            }
        });
    }
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(a_loop_that_ignores_its_cancellation_does_not_keep_others_from_running) {
    const time_bomb limit;
    made_semaphore s;
    bool over = false;
    run([&] {
        coir::fiber stubborn([&] {
            coir::cancel_scope scope;
            scope.run([&] {
                scope.cancel();
                while (!over) {
                    static_cast<void>(sem_wait(&s));
                }
            });
        });
        coir::fiber other([&] {
            coir::this_fiber::sleep_for(5ms);
            over = true;
        });
        stubborn.join();
        other.join();
    });
    BOOST_TEST(over);
}

BOOST_AUTO_TEST_SUITE_END()
