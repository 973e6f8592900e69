// SPDX-License-Identifier: BSL-1.0
// Waiting for signals: sigwait, sigwaitinfo, sigtimedwait, pause, sigsuspend, sigpause.
#include "hook/signals.hpp"

#include "hook/callers.hpp"
#include "hook/scopes.hpp"

#include <coir/this_fiber.hpp>

#include <sys/resource.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

extern "C" int __xpg_sigpause(int number);

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

constexpr int number = SIGUSR1;

// Sends a signal to a thread after a while, with a value.
later signal_soon(milliseconds delay = milliseconds(30)) {
    const pthread_t whom = ::pthread_self();
    return later(
        [whom] {
            sigval value{};
            value.sival_int = 42;
            must(::pthread_sigqueue(whom, number, value) == 0);
        },
        delay);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(waits_for_signals)

BOOST_AUTO_TEST_CASE(a_signal_is_taken_as_by_libc) {
    check_law([](const posix_calls&, transcript& t) {
        const with_blocked blocked(number);
        const sigset_t set = set_of(number);
        {
            const later signal = signal_soon();
            int taken = 0;
            t.call("sigwait", [&] { return ::sigwait(&set, &taken); });
            t.add(std::to_string(taken));
        }
        {
            const later signal = signal_soon();
            siginfo_t info{};
            t.call("sigwaitinfo", [&] { return ::sigwaitinfo(&set, &info); });
            t.add(std::to_string(info.si_value.sival_int) + ' ' + std::to_string(info.si_code));
        }
        {
            const later signal = signal_soon();
            siginfo_t info{};
            const timespec timeout{5, 0};
            t.call("sigtimedwait", [&] { return ::sigtimedwait(&set, &info, &timeout); });
            t.add(std::to_string(info.si_value.sival_int));
        }
        // What is pending is taken at once.
        ::raise(number);
        siginfo_t info{};
        const timespec no_time{};
        t.call("sigtimedwait", [&] { return ::sigtimedwait(&set, &info, &no_time); });
        t.call("sigtimedwait", [&] { return ::sigtimedwait(&set, &info, &no_time); });
        const timespec moment{0, 20'000'000};
        t.call_of_at_least(milliseconds(20), "sigtimedwait",
                           [&] { return ::sigtimedwait(&set, nullptr, &moment); });
        const timespec broken{0, 1'000'000'000};
        t.call("sigtimedwait", [&] { return ::sigtimedwait(&set, nullptr, &broken); });
        const timespec negative{-1, 0};
        t.call("sigtimedwait", [&] { return ::sigtimedwait(&set, nullptr, &negative); });
    });
}

// By any: signal(7).
BOOST_DATA_TEST_CASE(a_handler_ends_a_wait_for_another_signal, data::make({0, SA_RESTART}), flags) {
    check_law([&](const posix_calls&, transcript& t) {
        const with_blocked blocked(SIGUSR2);
        const with_handler handler(number, count_handled, flags);
        const sigset_t set = set_of(SIGUSR2);
        const timespec timeout{5, 0};
        {
            const pesterer signals(::pthread_self(), number);
            t.call("sigwaitinfo", [&] { return ::sigwaitinfo(&set, nullptr); });
        }
        {
            const pesterer signals(::pthread_self(), number);
            t.call("sigtimedwait", [&] { return ::sigtimedwait(&set, nullptr, &timeout); });
        }
        {
            const pesterer signals(::pthread_self(), number);
            t.call("pause", [&] { return ::pause(); });
        }
        {
            const pesterer signals(::pthread_self(), number);
            sigset_t mask;
            ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
            t.call("sigsuspend", [&] { return ::sigsuspend(&mask); });
        }
        {
            const pthread_t self = ::pthread_self();
            const pesterer signals(self, number, [self] { ::pthread_kill(self, SIGUSR2); });
            int taken = 0;
            t.add("sigwait " + std::to_string(::sigwait(&set, &taken)) + ' ' +
                  std::to_string(taken));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_mask_lets_in_what_is_pending_and_what_comes) {
    check_law([](const posix_calls&, transcript& t) {
        const with_blocked blocked(number);
        const with_handler handler(number, count_handled, SA_RESTART);
        handled = 0;
        ::raise(number);
        t.add(std::to_string(handled) + " handled");
        t.call("sigsuspend", [&] { return ::sigsuspend(&blocked.before()); });
        t.add(std::to_string(handled) + " handled");
        {
            const later signal = signal_soon();
            t.call("sigsuspend", [&] { return ::sigsuspend(&blocked.before()); });
        }
        t.add(std::to_string(handled) + " handled");
        {
            const later signal = signal_soon();
            t.call("sigpause", [&] { return ::__xpg_sigpause(number); });
        }
        t.add(std::to_string(handled) + " handled");
        // It is blocked again.
        ::raise(number);
        t.add(std::to_string(handled) + " handled");
        t.call("sigpause", [&] { return ::__xpg_sigpause(number); });
        t.add(std::to_string(handled) + " handled");
        t.call("sigpause of none", [&] { return ::__xpg_sigpause(1'000); });
    });
}

BOOST_AUTO_TEST_CASE(scopes_reach_into_waits_for_signals) {
    const with_blocked blocked(number);
    const sigset_t set = set_of(number);
    check_scopes_reach_into([&] { return ::sigwaitinfo(&set, nullptr); });
    check_scopes_reach_into([&] {
        const timespec timeout{2, 0};
        return ::sigtimedwait(&set, nullptr, &timeout);
    });
    check_scopes_reach_into([&] {
        int taken = 0;
        errno = ::sigwait(&set, &taken);
        return errno != 0 ? -1 : taken;
    });
    check_scopes_reach_into([] { return ::pause(); });
    check_scopes_reach_into([&] { return ::sigsuspend(&blocked.before()); });
}

// libpq takes a SIGPIPE of its own that way, whatever has become of the call before.
BOOST_AUTO_TEST_CASE(what_is_pending_is_taken_in_a_cancelled_scope_too) {
    const with_blocked blocked(number);
    const sigset_t set = set_of(number);
    coir::run([&] {
        coir::fiber one([&] {
            BOOST_TEST(::pause() == -1);
            BOOST_TEST(errno == ECANCELED);
            ::raise(number);
            int taken = 0;
            BOOST_TEST(::sigwait(&set, &taken) == 0);
            BOOST_TEST(taken == number);
            BOOST_TEST(::sigwait(&set, &taken) == ECANCELED);
        });
        coir::this_fiber::sleep_for(milliseconds(5));
        one.cancel();
    });
}

namespace {

// No descriptor can be had meanwhile.
class no_descriptors {
public:
    no_descriptors() {
        must(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        const unique_fd lowest(::dup(STDERR_FILENO));
        const rlimit none{rlim_t(lowest.get()), before_.rlim_max};
        must(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_wait_for_a_signal_does_without_a_descriptor) {
    const time_bomb limit;
    const with_blocked blocked(number);
    const with_handler handler(number, count_handled);
    const sigset_t set = set_of(number);
    coir::run([&] {
        const no_descriptors exhausted;
        {
            const later signal = signal_soon();
            BOOST_TEST(::sigwaitinfo(&set, nullptr) == number);
        }
        const later signal = signal_soon();
        handled = 0;
        BOOST_TEST(::sigsuspend(&blocked.before()) == -1);
        BOOST_TEST(errno == EINTR);
        BOOST_TEST(handled == 1);
    });
}

// As many are taken as were sent, with the sender a fiber of the same thread; nobody is blocked
// meanwhile.
BOOST_AUTO_TEST_CASE(a_fiber_may_serve_the_signals_of_the_others) {
    const with_blocked blocked(number);  // for the thread of the limit, too
    const time_bomb limit;
    int served = 0;
    coir::run([&] {
        coir::fiber server([&] {
            const sigset_t set = set_of(number);
            while (served < 200) {
                int taken = 0;
                COIR_MUST(::sigwait(&set, &taken) == 0 && taken == number);
                ++served;
            }
        });
        coir::fiber client([&] {
            for (int i = 0; i < 200; ++i) {
                COIR_MUST(::kill(::getpid(), number) == 0);
                while (served <= i) {
                    coir::this_fiber::yield();
                }
            }
        });
        client.join();
        server.join();
    });
    BOOST_TEST(served == 200);
}

BOOST_AUTO_TEST_CASE(a_wait_for_nothing_but_a_signal_is_no_deadlock) {
    const time_bomb limit;
    const with_handler handler(number, count_handled);
    coir::run([] {
        const pesterer signals(::pthread_self(), number);
        BOOST_TEST((::pause() == -1 && errno == EINTR));
    });
}

namespace {

std::atomic<int> arrived{0};
void note_arrival(int) { arrived = 1; }

}  // namespace

// The classic: block, look at the flag, sigsuspend. The signal comes at any moment before, between
// and after, from another thread or another fiber; a lost one would hang.
BOOST_DATA_TEST_CASE(sigsuspend_loses_no_signal, data::make({false, true}), from_a_fiber) {
    const with_blocked blocked(number);  // for the thread of the limit, too
    const time_bomb limit;
    const with_handler handler(number, note_arrival);
    constexpr int rounds = 1'000;
    std::atomic<int> asked{0};
    std::atomic<int> answered{0};
    int seen = 0;
    const auto answer = [&](auto let_others_run) {
        while (answered < rounds) {
            if (asked > answered) {
                for (int i = 0; i < asked * 37 % 400; ++i) {
                    std::atomic_signal_fence(std::memory_order_seq_cst);
                }
                ++answered;
                must(::kill(::getpid(), number) == 0);
            } else {
                let_others_run();
            }
        }
    };
    coir::run([&] {
        std::thread thread;
        coir::fiber fiber;
        if (from_a_fiber) {
            fiber = coir::fiber([&] { answer([] { coir::this_fiber::yield(); }); });
        } else {
            thread = std::thread([&] { answer([] { std::this_thread::yield(); }); });
        }
        for (int i = 0; i < rounds; ++i) {
            arrived = 0;
            ++asked;
            while (arrived == 0) {
                must(::sigsuspend(&blocked.before()) == -1 && errno == EINTR);
            }
            ++seen;
        }
        if (from_a_fiber) {
            fiber.join();
        } else {
            thread.join();
        }
    });
    BOOST_TEST(seen == rounds);
}

BOOST_AUTO_TEST_SUITE_END()
