// SPDX-License-Identifier: BSL-1.0
// Handlers of signals: what they may call, and how they may be left.
#include "hook/signals.hpp"
#include "support/system_calls.hpp"

#include "unit/context/child_process.hpp"

#include <coir/fiber.hpp>
#include <coir/hook/hook.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <setjmp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

using namespace coir::test;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(handlers_of_signals)

namespace {

std::atomic<long> steps_of_others{0};
std::atomic<int> calls_that_switched{0};
std::atomic<int> calls_that_were_taken{0};
std::atomic<int> pipe_with_a_byte{-1};

// Calls which would park a fiber, or which a fiber's call would count as.
void call_what_waits(int) {
    const long before = steps_of_others;
    const timespec moment{0, 5'000'000};
    char byte = 0;
    ::nanosleep(&moment, nullptr);
    must(::read(pipe_with_a_byte, &byte, 1) == 1);
    must(::poll(nullptr, 0, 5) == 0);
    must(::usleep(1'000) == 0);
    const int copy = ::dup2(pipe_with_a_byte, 777);
    must(copy == 777 && ::close(copy) == 0);
    calls_that_were_taken += coir::hook::active() ? 1 : 0;
    calls_that_switched += steps_of_others != before ? 1 : 0;
    ++handled;
}

class handler_that_waits {
public:
    handler_that_waits() {
        pipe_with_a_byte = pair_.a.get();
        must(::write(pair_.b.get(), "xxxxxxxxxx", 10) == 10);
        handled = calls_that_switched = calls_that_were_taken = 0;
        steps_of_others = 0;
    }

private:
    descriptor_pair pair_ = pipe_ends();
    with_handler handler_{SIGUSR1, call_what_waits};
};

}  // namespace

BOOST_AUTO_TEST_CASE(no_call_in_a_handler_lets_another_fiber_run) {
    const handler_that_waits handler;
    coir::run([] {
        std::atomic<bool> over{false};
        coir::fiber other([&] {
            while (!over) {
                ++steps_of_others;
                coir::this_fiber::yield();
            }
        });
        coir::fiber one([&] {
            coir::this_fiber::yield();
            ::raise(SIGUSR1);
            ::raise(SIGUSR1);
            BOOST_TEST(coir::hook::active());
            over = true;
        });
        one.join();
    });
    BOOST_TEST(handled == 2);
    BOOST_TEST(steps_of_others > 0);
    BOOST_TEST(calls_that_switched == 0);
    BOOST_TEST(calls_that_were_taken == 0);
}

// The carrier sleeps in its poller, on the stack of a fiber that is parked; another one is due in
// the midst of the handler.
BOOST_AUTO_TEST_CASE(nor_when_the_scheduler_was_interrupted) {
    const handler_that_waits handler;
    const pthread_t carrier = ::pthread_self();
    coir::run([&] {
        coir::fiber other([] {
            for (int i = 0; i < 40; ++i) {
                coir::this_fiber::sleep_for(milliseconds(2));
                ++steps_of_others;
            }
        });
        const later signals(
            [&] {
                for (int i = 0; i < 5; ++i) {
                    ::pthread_kill(carrier, SIGUSR1);
                    std::this_thread::sleep_for(milliseconds(3));
                }
            },
            milliseconds(5));
        other.join();
        BOOST_TEST(coir::hook::active());
    });
    BOOST_TEST(handled > 0);
    BOOST_TEST(calls_that_switched == 0);
    BOOST_TEST(calls_that_were_taken == 0);
}

namespace {

sigjmp_buf place;
void jump(int) { ::siglongjmp(place, 1); }

sigjmp_buf place_in_handler;
int taken_in_handler = 0;
void jump_within(int) { ::siglongjmp(place_in_handler, 1); }
void handle_with_a_jump_inside(int) {
    const with_handler inner(SIGUSR2, jump_within);
    if (::sigsetjmp(place_in_handler, 1) == 0) {
        ::raise(SIGUSR2);
        must(false);
    }
    taken_in_handler += coir::hook::active() ? 1 : 0;
}

// A call of ours really parks: another fiber runs meanwhile.
void check_that_calls_park() {
    BOOST_TEST(coir::hook::active());
    bool ran = false;
    coir::fiber other([&] { ran = true; });
    const timespec moment{0, 1'000'000};
    BOOST_TEST(::nanosleep(&moment, nullptr) == 0);
    BOOST_TEST(ran);
}

}  // namespace

BOOST_DATA_TEST_CASE(a_handler_may_jump_out_of_the_code_that_it_has_interrupted,
                     data::make({0, SA_ONSTACK}), flags) {
    const with_handler handler(SIGUSR1, jump, flags);
    coir::run([] {
        const auto jump_out = [] {
            if (::sigsetjmp(place, 1) == 0) {
                ::raise(SIGUSR1);
                BOOST_ERROR("the handler has returned");
            }
            check_that_calls_park();
        };
        jump_out();
        jump_out();
        coir::fiber(jump_out).join();
    });
    const auto on_thread = [] {
        if (::sigsetjmp(place, 1) == 0) {
            ::raise(SIGUSR1);
            must(false);
        }
    };
    on_thread();
    coir::run([] { check_that_calls_park(); });
}

BOOST_AUTO_TEST_CASE(a_jump_inside_a_handler_does_not_leave_it) {
    const with_handler handler(SIGUSR1, handle_with_a_jump_inside);
    taken_in_handler = 0;
    coir::run([] {
        ::raise(SIGUSR1);
        check_that_calls_park();
    });
    BOOST_TEST(taken_in_handler == 0);
}

BOOST_AUTO_TEST_CASE(a_jump_out_of_a_wait_ends_the_program_and_says_why) {
    const child_result result = run_in_child([] {
        ::signal(SIGABRT, SIG_DFL);
        ::signal(SIGALRM, jump);
        coir::run([] {
            if (::sigsetjmp(place, 1) == 0) {
                const itimerval soon{{0, 0}, {0, 20'000}};
                ::setitimer(ITIMER_REAL, &soon, nullptr);
                const timespec long_time{5, 0};
                ::nanosleep(&long_time, nullptr);
            }
        });
    });
    BOOST_TEST(result.died_by(SIGABRT));
    BOOST_TEST(result.messages.find("jumped (longjmp) out of a wait") != std::string::npos);
}

// With the fiber's stack in queues already, though it runs.
BOOST_AUTO_TEST_CASE(a_jump_out_of_a_call_that_is_about_to_wait_ends_the_program_and_says_why) {
    const child_result result = run_in_child([] {
        ::unsetenv("COIR_REACTOR");
        ::signal(SIGABRT, SIG_DFL);
        ::signal(SIGALRM, jump);
        static bool is_in_the_call = false;
        using epoll_ctl_call = replace_system_call<&coir::detail::system_calls::epoll_ctl>;
        const epoll_ctl_call interrupted([](int epoll, int operation, int fd, epoll_event* event) {
            if (is_in_the_call) {
                ::raise(SIGALRM);
            }
            return epoll_ctl_call::original(epoll, operation, fd, event);
        });
        coir::run_options options;
        options.reactor = coir::reactor_kind::epoll;
        coir::run(options, [] {
            const descriptor_pair pair = pipe_ends();
            char letter = 0;
            if (::sigsetjmp(place, 1) == 0) {
                is_in_the_call = true;
                ::read(pair.a.get(), &letter, 1);
            }
            is_in_the_call = false;
        });
    });
    BOOST_TEST(result.died_by(SIGABRT));
    BOOST_TEST(result.messages.find("jumped (longjmp) out of a wait") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
