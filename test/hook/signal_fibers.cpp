// SPDX-License-Identifier: BSL-1.0
// Which fibers' waits a signal ends, and which it leaves alone.
#include "hook/signals.hpp"

#include "hook/callers.hpp"

#include <coir/carrier.hpp>
#include <coir/hook/hook.hpp>
#include <coir/this_fiber.hpp>

#include <sys/time.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coir::test;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(fibers_that_a_signal_meets)

BOOST_AUTO_TEST_CASE(every_fiber_that_waits_in_a_hooked_call_on_the_carrier_is_told) {
    const time_bomb limit;
    const with_handler handler(SIGUSR1, count_handled);
    coir::run([] {
        const descriptor_pair pair = pipe_ends();
        int interrupted = 0;
        std::vector<coir::fiber> waiting;
        for (int i = 0; i < 20; ++i) {
            waiting.emplace_back([&] {
                char byte = 0;
                interrupted += ::read(pair.a.get(), &byte, 1) < 0 && errno == EINTR ? 1 : 0;
            });
        }
        coir::fiber sleeper([&] {
            const timespec time{5, 0};
            interrupted += ::nanosleep(&time, nullptr) < 0 && errno == EINTR ? 1 : 0;
        });
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        ::pthread_mutex_lock(&mutex);
        int locked = -1;
        coir::fiber locker([&] {
            locked = ::pthread_mutex_lock(&mutex);
            ::pthread_mutex_unlock(&mutex);
        });
        bool slept_enough = false;
        coir::fiber of_coir([&] {
            const auto begun = std::chrono::steady_clock::now();
            coir::this_fiber::sleep_for(milliseconds(50));
            slept_enough = std::chrono::steady_clock::now() - begun >= milliseconds(50);
        });
        coir::this_fiber::sleep_for(milliseconds(5));
        ::raise(SIGUSR1);
        for (coir::fiber& one : waiting) {
            one.join();
        }
        sleeper.join();
        BOOST_TEST(interrupted == 21);
        BOOST_TEST(locked == -1);
        ::pthread_mutex_unlock(&mutex);
        locker.join();
        BOOST_TEST(locked == 0);
        of_coir.join();
        BOOST_TEST(slept_enough);
    });
}

// The other carriers block all signals: the one that run() was called on stands for them.
BOOST_AUTO_TEST_CASE(so_is_every_fiber_of_the_other_carriers_of_the_run) {
    const time_bomb limit;
    const with_handler handler(SIGUSR1, count_handled);
    handled = 0;
    coir::run_options options;
    options.threads = 3;
    coir::run(options, [] {
        const descriptor_pair pair = pipe_ends();
        std::vector<coir::fiber> waiting;
        std::atomic<int> interrupted{0};
        for (int i = 0; i < 30; ++i) {
            waiting.push_back(coir::spawn_on(i % 3, [&] {
                char byte = 0;
                COIR_MUST(::read(pair.a.get(), &byte, 1) == -1 && errno == EINTR);
                COIR_MUST(::pause() == -1 && errno == EINTR);
                ++interrupted;
            }));
        }
        while (interrupted < 30) {
            coir::this_fiber::sleep_for(milliseconds(2));
            ::raise(SIGUSR1);
        }
        for (coir::fiber& one : waiting) {
            one.join();
        }
    });
    BOOST_TEST(handled > 1);
}

// Nor a plain thread, as with libc.
BOOST_AUTO_TEST_CASE(no_fiber_of_another_run_is) {
    const time_bomb limit;
    const with_handler handler(SIGUSR1, count_handled);
    handled = 0;
    const descriptor_pair pair = pipe_ends();
    std::thread other([&] {
        coir::run([&] {
            char byte = 0;
            COIR_MUST(::read(pair.a.get(), &byte, 1) == 1);
        });
    });
    coir::run([&] {
        coir::this_fiber::sleep_for(milliseconds(20));
        ::raise(SIGUSR1);
        coir::this_fiber::sleep_for(milliseconds(20));
        COIR_MUST(::write(pair.b.get(), "x", 1) == 1);
    });
    other.join();
    BOOST_TEST(handled == 1);
}

BOOST_AUTO_TEST_CASE(a_signal_that_came_before_the_call_does_not_end_it) {
    const with_handler handler(SIGUSR1, count_handled);
    coir::run([] {
        for (int i = 0; i < 20; ++i) {
            ::raise(SIGUSR1);
            const timespec moment{0, 1'000'000};
            BOOST_TEST(::nanosleep(&moment, nullptr) == 0);
        }
    });
}

// Nobody's wait was interrupted by what the running fiber has done to itself.
BOOST_AUTO_TEST_CASE(nor_does_a_signal_that_tells_of_a_fault_or_a_broken_pipe) {
    const time_bomb limit;
    const with_handler handler(SIGPIPE, count_handled);
    handled = 0;
    coir::run([] {
        descriptor_pair pair = pipe_ends();
        descriptor_pair broken = connected_sockets(socket_kind::unix_stream);
        broken.a.reset();
        ssize_t got = 0;
        coir::fiber reader([&] {
            char byte = 0;
            got = ::read(pair.a.get(), &byte, 1);
        });
        coir::this_fiber::sleep_for(milliseconds(5));
        BOOST_TEST(::write(broken.b.get(), "x", 1) == -1);
        coir::this_fiber::sleep_for(milliseconds(5));
        BOOST_TEST(::write(pair.b.get(), "x", 1) == 1);
        reader.join();
        BOOST_TEST(got == 1);
    });
    BOOST_TEST(handled == 1);
}

// Code of old: a timeout by alarm(2).
BOOST_AUTO_TEST_CASE(an_alarm_ends_a_read) {
    const time_bomb limit;
    const with_handler handler(SIGALRM, count_handled);
    coir::run([] {
        const descriptor_pair pair = pipe_ends();
        int others = 0;
        coir::fiber other([&] {
            for (;;) {
                coir::this_fiber::sleep_for(milliseconds(50));
                ++others;
            }
        });
        ::alarm(1);
        char byte = 0;
        errno = 0;
        BOOST_TEST(::read(pair.a.get(), &byte, 1) == -1);
        BOOST_TEST(errno == EINTR);
        BOOST_TEST(others > 1);
    });
}

namespace {

std::atomic<int> storm_calls_taken{0};
void handle_in_storm(int) {
    pollfd polled{-1, POLLIN, 0};
    ::poll(&polled, 1, 0);
    storm_calls_taken += coir::hook::active() ? 1 : 0;
    handled.fetch_add(1);
}

template <class Call>
void move_all(std::size_t size, Call call) {
    for (std::size_t moved = 0; moved < size;) {
        const ssize_t more = call(moved, size - moved);
        if (more > 0) {
            moved += std::size_t(more);
        } else if (more == 0 || errno != EINTR) {
            must(false);
        }
    }
}

}  // namespace

// Fibers exchange data while a signal comes every 200 us, wherever they and the scheduler are. All
// of it must arrive, and each fiber come to its end; the handler must find no call taken.
BOOST_DATA_TEST_CASE(a_storm_of_signals_loses_nothing, data::make({0, SA_RESTART}), flags) {
    const time_bomb limit;
    const with_handler handler(SIGALRM, handle_in_storm, flags);
    handled = storm_calls_taken = 0;
    int right = 0;
    coir::run([&] {
        const itimerval often{{0, 200}, {0, 200}};
        const itimerval never{};
        ::setitimer(ITIMER_REAL, &often, nullptr);
        const std::string text = pattern(60'000);
        std::vector<coir::fiber> fibers;
        for (int i = 0; i < 50; ++i) {
            const auto pair =
                std::make_shared<descriptor_pair>(connected_sockets(socket_kind::unix_stream));
            fibers.emplace_back([pair, &text] {
                for (int round = 0; round < 10; ++round) {
                    move_all(text.size(), [&](std::size_t at, std::size_t size) {
                        return ::write(pair->a.get(), text.data() + at, size);
                    });
                }
            });
            fibers.emplace_back([pair, &text, &right] {
                std::string got(text.size(), '\0');
                for (int round = 0; round < 10; ++round) {
                    move_all(got.size(), [&](std::size_t at, std::size_t size) {
                        return ::read(pair->b.get(), got.data() + at, size);
                    });
                    right += got == text ? 1 : 0;
                    const timespec moment{0, 300'000};
                    ::nanosleep(&moment, nullptr);
                }
            });
        }
        for (coir::fiber& one : fibers) {
            one.join();
        }
        ::setitimer(ITIMER_REAL, &never, nullptr);
    });
    BOOST_TEST(right == 500);
    BOOST_TEST(handled > 0);
    BOOST_TEST(storm_calls_taken == 0);
}

BOOST_AUTO_TEST_SUITE_END()
