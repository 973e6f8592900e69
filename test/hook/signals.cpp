// SPDX-License-Identifier: BSL-1.0
// Handlers of signals: what a program is shown of them, and what they may do.
#include "hook/signals.hpp"

#include "hook/callers.hpp"
#include "unit/context/child_process.hpp"

#include <coir/carrier.hpp>
#include <coir/hook/hook.hpp>
#include <coir/this_fiber.hpp>

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>
#include <vector>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

using handler_of_number = void (*)(int);

// What a program calls about its signals: the names that are taken, or libc's own.
struct signal_calls {
    int (*sigaction)(int, const struct sigaction*, struct sigaction*);
    handler_of_number (*signal)(int, handler_of_number);
    handler_of_number (*sysv_signal)(int, handler_of_number);
    handler_of_number (*sigset)(int, handler_of_number);
    int (*siginterrupt)(int, int);
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
const signal_calls taken{::sigaction, ::signal, ::sysv_signal, ::sigset, ::siginterrupt};
#pragma GCC diagnostic pop

signal_calls of_libc() {
    using coir::hook::original;
    return {original<int(int, const struct sigaction*, struct sigaction*)>("sigaction"),
            original<handler_of_number(int, handler_of_number)>("signal"),
            original<handler_of_number(int, handler_of_number)>("sysv_signal"),
            original<handler_of_number(int, handler_of_number)>("sigset"),
            original<int(int, int)>("siginterrupt")};
}

void another_handler(int) {}
void handler_with_info(int, siginfo_t*, void*) {}

std::string name_of(handler_of_number handler) {
    if (handler == count_handled) {
        return "count_handled";
    }
    if (handler == another_handler) {
        return "another_handler";
    }
    if (handler ==
        reinterpret_cast<handler_of_number>(reinterpret_cast<void (*)()>(handler_with_info))) {
        return "handler_with_info";
    }
    return handler == SIG_DFL    ? "SIG_DFL"
           : handler == SIG_IGN  ? "SIG_IGN"
           : handler == SIG_ERR  ? "SIG_ERR " + std::to_string(errno)
           : handler == SIG_HOLD ? "SIG_HOLD"
                                 : "somebody's";
}

std::string describe(const struct sigaction& action) {
    std::string text = name_of(action.sa_handler) + " flags " + std::to_string(action.sa_flags);
    for (int number = 1; number < _NSIG; ++number) {
        if (::sigismember(&action.sa_mask, number) == 1) {
            text += " masks " + std::to_string(number);
        }
    }
    return text;
}

// The same script with libc's own and with what is taken: a program sees no difference.
void check_is_as_with_libc(
    const std::function<void(const signal_calls&, std::vector<std::string>&)>& script) {
    std::vector<std::string> law;
    std::vector<std::string> on_thread;
    std::vector<std::string> in_fiber;
    script(of_libc(), law);
    script(taken, on_thread);
    coir::run([&] { script(taken, in_fiber); });
    BOOST_TEST(!law.empty());
    BOOST_CHECK_EQUAL_COLLECTIONS(on_thread.begin(), on_thread.end(), law.begin(), law.end());
    BOOST_CHECK_EQUAL_COLLECTIONS(in_fiber.begin(), in_fiber.end(), law.begin(), law.end());
}

std::string shown(const signal_calls& c, int number) {
    struct sigaction now {};
    const int result = c.sigaction(number, nullptr, &now);
    return std::to_string(result) + ' ' + describe(now);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handlers_of_signals)

BOOST_AUTO_TEST_CASE(a_program_is_shown_what_it_has_asked_for) {
    check_is_as_with_libc([](const signal_calls& c, std::vector<std::string>& seen) {
        const with_handler restored(SIGUSR1, SIG_DFL);
        const unsigned int flags[] = {0,
                                      SA_RESTART,
                                      SA_NODEFER | SA_ONSTACK,
                                      SA_RESETHAND,
                                      SA_SIGINFO,
                                      SA_SIGINFO | SA_RESTART | SA_RESETHAND};
        for (const unsigned int one : flags) {
            struct sigaction action {};
            struct sigaction before {};
            if ((one & SA_SIGINFO) != 0) {
                action.sa_sigaction = handler_with_info;
            } else {
                action.sa_handler = count_handled;
            }
            action.sa_flags = int(one);
            ::sigaddset(&action.sa_mask, SIGHUP);
            seen.push_back(std::to_string(c.sigaction(SIGUSR1, &action, &before)));
            seen.push_back("before " + describe(before));
            seen.push_back(shown(c, SIGUSR1));
            ::raise(SIGUSR1);
            seen.push_back(shown(c, SIGUSR1));
            // Both may be one.
            seen.push_back(std::to_string(c.sigaction(SIGUSR1, &action, &action)));
            seen.push_back("before " + describe(action));
        }
        for (const handler_of_number one : {SIG_IGN, SIG_DFL}) {
            const struct sigaction action = action_of(one, 0);
            struct sigaction before {};
            c.sigaction(SIGUSR1, &action, &before);
            seen.push_back(describe(before));
            seen.push_back(shown(c, SIGUSR1));
        }
        for (const int number : {-1, 0, SIGKILL, SIGSTOP, 32, _NSIG, 1'000}) {
            const struct sigaction action = action_of(count_handled, 0);
            errno = 0;
            seen.push_back(std::to_string(c.sigaction(number, &action, nullptr)) + ' ' +
                           std::to_string(errno));
        }
    });
}

BOOST_AUTO_TEST_CASE(the_older_functions_give_what_libc_gives) {
    check_is_as_with_libc([](const signal_calls& c, std::vector<std::string>& seen) {
        const with_handler restored(SIGUSR1, SIG_DFL);
        const auto install = [&](const char* how, handler_of_number (*call)(int, handler_of_number),
                                 handler_of_number handler) {
            seen.push_back(std::string(how) + ' ' + name_of(call(SIGUSR1, handler)));
            seen.push_back(shown(c, SIGUSR1));
        };
        install("signal", c.signal, count_handled);
        install("signal", c.signal, another_handler);
        install("signal", c.signal, SIG_IGN);
        install("signal", c.signal, SIG_ERR);
        install("sysv_signal", c.sysv_signal, count_handled);
        ::raise(SIGUSR1);
        seen.push_back(shown(c, SIGUSR1));
        install("sysv_signal", c.sysv_signal, SIG_ERR);
        install("sigset", c.sigset, count_handled);
        install("sigset", c.sigset, SIG_HOLD);
        install("sigset", c.sigset, SIG_HOLD);
        install("sigset", c.sigset, another_handler);
        install("sigset", c.sigset, SIG_DFL);
        install("signal", c.signal, count_handled);
        seen.push_back("siginterrupt " + std::to_string(c.siginterrupt(SIGUSR1, 1)));
        seen.push_back(shown(c, SIGUSR1));
        install("signal", c.signal, another_handler);
        seen.push_back("siginterrupt " + std::to_string(c.siginterrupt(SIGUSR1, 0)));
        seen.push_back(shown(c, SIGUSR1));
        install("signal", c.signal, another_handler);
        for (const int number : {-1, 0, SIGKILL, _NSIG}) {
            errno = 0;
            seen.push_back(name_of(c.signal(number, count_handled)));
            seen.push_back(name_of(c.sysv_signal(number, count_handled)));
            seen.push_back(name_of(c.sigset(number, count_handled)));
            seen.push_back(std::to_string(c.siginterrupt(number, 1)));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_handler_from_before_us_is_shown_and_given_back) {
    const signal_calls libc = of_libc();
    struct sigaction before {};
    const struct sigaction action = action_of(count_handled, SA_RESTART);
    libc.sigaction(SIGUSR2, &action, &before);
    handled = 0;
    ::raise(SIGUSR2);
    BOOST_TEST(handled == 1);
    {
        const with_handler ours(SIGUSR2, another_handler);
        ::raise(SIGUSR2);
        BOOST_TEST(handled == 1);
    }
    struct sigaction now {};
    libc.sigaction(SIGUSR2, nullptr, &now);
    BOOST_TEST((::raise(SIGUSR2) == 0 && handled == 2));
    libc.sigaction(SIGUSR2, &before, nullptr);
}

namespace {

void change_errno(int) { errno = EXDEV; }

int depth = 0;
int deepest = 0;
void nest(int number) {
    ++depth;
    deepest = std::max(deepest, depth);
    if (handled.fetch_add(1) < 2) {
        ::raise(number);
    }
    --depth;
}

std::uintptr_t frame_of_handler = 0;
void note_frame(int) {
    frame_of_handler = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

siginfo_t info_of_handler;
void note_info(int, siginfo_t* info, void* context) {
    info_of_handler = *info;
    must(context != nullptr);
}

void on_thread_and_in_fiber(const std::function<void()>& script) {
    script();
    coir::run(script);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_handler_that_changes_errno_has_changed_it) {
    on_thread_and_in_fiber([] {
        const with_handler handler(SIGUSR1, change_errno);
        errno = 0;
        ::raise(SIGUSR1);
        BOOST_TEST(errno == EXDEV);
    });
}

BOOST_AUTO_TEST_CASE(a_handler_is_interrupted_by_its_own_signal_as_its_flags_say) {
    on_thread_and_in_fiber([] {
        const auto raise_nested = [](int flags) {
            const with_handler handler(SIGUSR1, nest, flags);
            handled = 0;
            deepest = 0;
            ::raise(SIGUSR1);
            return deepest;
        };
        BOOST_TEST(raise_nested(SA_NODEFER) == 3);
        BOOST_TEST(raise_nested(0) == 1);
        BOOST_TEST(handled == 3);  // one after the other
    });
}

BOOST_AUTO_TEST_CASE(a_handler_is_told_what_the_kernel_tells) {
    on_thread_and_in_fiber([] {
        struct sigaction action {};
        action.sa_sigaction = note_info;
        action.sa_flags = SA_SIGINFO;
        const with_handler handler(SIGUSR1, action);
        info_of_handler = {};
        sigval value{};
        value.sival_int = 42;
        must(::pthread_sigqueue(::pthread_self(), SIGUSR1, value) == 0);
        while (info_of_handler.si_signo == 0) {
            ::usleep(100);
        }
        BOOST_TEST(info_of_handler.si_signo == SIGUSR1);
        BOOST_TEST(info_of_handler.si_value.sival_int == 42);
        BOOST_TEST(info_of_handler.si_pid == ::getpid());
    });
}

BOOST_AUTO_TEST_CASE(a_handler_runs_on_the_alternate_stack_if_it_asks_for_it) {
    on_thread_and_in_fiber([] {
        static char stack[64 * 1024];
        stack_t before{};
        stack_t ours{};
        ours.ss_sp = stack;
        ours.ss_size = sizeof stack;
        ::sigaltstack(&ours, &before);
        const auto is_on_it = [](int flags) {
            const with_handler handler(SIGUSR1, note_frame, flags);
            ::raise(SIGUSR1);
            return frame_of_handler - reinterpret_cast<std::uintptr_t>(stack) < sizeof stack;
        };
        BOOST_TEST(is_on_it(SA_ONSTACK));
        BOOST_TEST(!is_on_it(0));
        ::sigaltstack(&before, nullptr);
    });
}

// --- What a handler may call ------------------------------------------------------------------

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

// --- Handlers that do not return --------------------------------------------------------------

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

// --- Whose waits end --------------------------------------------------------------------------

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

// --- A storm ----------------------------------------------------------------------------------

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
