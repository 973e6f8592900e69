// SPDX-License-Identifier: BSL-1.0
// Handlers of signals: what a program is shown of them, and what the kernel does with them.
#include "hook/signals.hpp"

#include <coir/hook/hook.hpp>
#include <coir/run.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>
#include <vector>

using namespace coir::test;

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

BOOST_AUTO_TEST_SUITE_END()
