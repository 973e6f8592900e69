// SPDX-License-Identifier: BSL-1.0
// Fibers that hold their carrier are reported: COIR_HOOK says watchdog=100.
//
// Whoever is to be reported holds it for much longer than that, and who is not holds it for no time
// to speak of, so that a machine that has other work to do changes nothing.
#include "hook/callers.hpp"
#include "hook/stderr_of.hpp"

#include <coir/hook/hook.hpp>
#include <coir/runtime.hpp>
#include <coir/this_fiber.hpp>

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

using namespace coir::test;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// In a system call that nobody can take. The watchdog's signal interrupts it once.
void sleep_raw(milliseconds duration) {
    timespec left{duration.count() / 1000, duration.count() % 1000 * 1'000'000};
    while (::syscall(SYS_nanosleep, &left, &left) != 0 && errno == EINTR) {
    }
}

void compute(milliseconds duration) {
    const auto until = steady_clock::now() + duration;
    while (steady_clock::now() < until) {
    }
}

void in_fiber(const std::string& name, const std::function<void()>& body) {
    coir::run([&] {
        coir::fiber one({name}, body);
        one.join();
    });
}

// What is said in the report's first line after `before`, as a number.
int number_after(const std::string& text, const std::string& before) {
    const std::size_t at = text.find(before);
    return at != text.npos ? std::atoi(text.c_str() + at + before.size()) : -1;
}

// The kernel interrupts the thread when it takes down the ring of an earlier run, and goes on with
// a sleep by restart_syscall(2).
std::string report_of(const std::function<void()>& body) {
    std::string text = stderr_of(body);
    const std::string restarted = "restart_syscall";
    for (std::size_t at = 0; (at = text.find(restarted, at)) != text.npos;) {
        text.replace(at, restarted.size(), "nanosleep");
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(watchdog)

BOOST_AUTO_TEST_CASE(a_fiber_that_waits_in_a_system_call_is_reported_with_its_name_once) {
    const std::string text = report_of([] { in_fiber("sleepy", [] { sleep_raw(400ms); }); });
    BOOST_TEST(count(text, "fiber 'sleepy' (id ") == 1U, text);
    BOOST_TEST(count(text, "in the system call nanosleep") == 1U, text);
    const int held = number_after(text, "held its carrier for ");
    BOOST_TEST((300 <= held && held < 2000), text);
    BOOST_TEST(number_after(text, " ms, ") < held, text);  // on a processor
}

BOOST_AUTO_TEST_CASE(the_report_has_a_backtrace_that_begins_where_it_waits) {
    const std::string text = report_of([] { in_fiber("sleepy", [] { sleep_raw(400ms); }); });
    const std::string before = "in the system call nanosleep, at\n    ";
    const std::size_t at = text.find(before);
    BOOST_REQUIRE((at != text.npos));
    const std::string first =
        text.substr(at + before.size(), text.find('\n', at + before.size()) - at - before.size());
    BOOST_TEST(first.find("(syscall+0x") != first.npos, first);
    BOOST_TEST(count(text, "hook_watchdog(") >= 3U, text);
}

BOOST_AUTO_TEST_CASE(one_that_computes_is_reported_as_computing) {
    const std::string text = report_of([] { in_fiber("busy", [] { compute(400ms); }); });
    BOOST_TEST(count(text, "fiber 'busy' (id ") == 1U, text);
    BOOST_TEST(count(text, "in no system call, at\n") == 1U, text);
    BOOST_TEST(count(text, "in the system call") == 0U, text);
    BOOST_TEST(count(text, "hook_watchdog(") >= 1U, text);
}

BOOST_AUTO_TEST_CASE(the_main_fiber_and_those_without_a_name_are_reported_as_well) {
    const std::string text = report_of([] {
        coir::run([] {
            sleep_raw(250ms);
            coir::fiber unnamed([] { sleep_raw(250ms); });
            unnamed.join();
        });
    });
    BOOST_TEST(count(text, "held its carrier") == 2U, text);
    BOOST_TEST(count(text, "fiber 'main' (id ") == 1U, text);
    BOOST_TEST(count(text, "coir::hook: fiber ") == 2U, text);
}

BOOST_AUTO_TEST_CASE(each_stretch_is_reported) {
    const std::string text = report_of([] {
        in_fiber("again", [] {
            for (int i = 0; i < 3; ++i) {
                sleep_raw(250ms);
                coir::this_fiber::yield();
            }
        });
    });
    BOOST_TEST(count(text, "fiber 'again'") == 3U, text);
}

BOOST_AUTO_TEST_CASE(what_parks_is_not_reported) {
    const std::string text = report_of([] {
        in_fiber("alone", [] { ::usleep(400'000); });
        coir::run([] {
            coir::fiber sleeper([] { ::usleep(300'000); });
            coir::fiber ticker([] {
                for (int i = 0; i < 100; ++i) {
                    coir::this_fiber::sleep_for(3ms);
                }
            });
            coir::fiber yielder([] {
                const auto until = steady_clock::now() + 300ms;
                while (steady_clock::now() < until) {
                    coir::this_fiber::yield();
                }
            });
        });
    });
    BOOST_TEST(text == "");
}

BOOST_AUTO_TEST_CASE(what_lasts_for_long_is_reported_while_it_lasts) {
    const std::string text = report_of([] { in_fiber("stuck", [] { sleep_raw(1800ms); }); });
    BOOST_TEST(count(text, "fiber 'stuck'") == 2U, text);
    const int so_far = number_after(text, "holds its carrier, and has for ");
    const int in_all = number_after(text, "held its carrier for ");
    BOOST_TEST((1000 <= so_far && so_far < in_all), text);
    BOOST_TEST(1700 <= in_all, text);
}

BOOST_AUTO_TEST_CASE(several_carriers_are_watched) {
    const std::string text = report_of([] {
        coir::run_options options;
        options.threads = 2;
        coir::run(options, [] {
            const auto hold = [] {
                sleep_raw(400ms);
            };
            coir::fiber zero(coir::fiber_options("zero", 0, {}).on(0), hold);
            coir::fiber one(coir::fiber_options("one", 0, {}).on(1), hold);
            coir::this_fiber::sleep_for(1ms);
        });
    });
    BOOST_TEST(count(text, "fiber 'zero'") == 1U, text);
    BOOST_TEST(count(text, "fiber 'one'") == 1U, text);
}

BOOST_AUTO_TEST_CASE(the_carriers_of_a_runtime_are_watched) {
    const std::string text = report_of([] {
        coir::runtime background;
        background.submit([] { sleep_raw(400ms); }).get();
    });
    BOOST_TEST(count(text, "held its carrier") == 1U, text);
}

BOOST_AUTO_TEST_CASE(the_programs_own_handlers_and_errno_are_left_alone) {
    static volatile sig_atomic_t came = 0;
    struct sigaction own {};
    own.sa_handler = [](int) {
        came = came + 1;
    };
    struct sigaction before {};
    ::sigaction(SIGRTMAX, &own, &before);
    const std::string text = report_of([] {
        in_fiber("own", [] {
            errno = EDOM;
            compute(400ms);
            BOOST_TEST(errno == EDOM);
            ::raise(SIGRTMAX);
        });
    });
    ::sigaction(SIGRTMAX, &before, nullptr);
    BOOST_TEST(came == 1);
    BOOST_TEST(count(text, "fiber 'own'") == 1U, text);
}

BOOST_AUTO_TEST_CASE(a_thread_that_blocks_signals_is_not_sent_any) {
    const std::string text = report_of([] {
        in_fiber("deaf", [] {
            sigset_t all;
            sigset_t before;
            ::sigfillset(&all);
            ::pthread_sigmask(SIG_SETMASK, &all, &before);
            sleep_raw(400ms);
            sigset_t pending;
            ::sigpending(&pending);
            for (int i = SIGRTMIN; i <= SIGRTMAX; ++i) {
                BOOST_TEST(::sigismember(&pending, i) == 0);
            }
            ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        });
    });
    BOOST_TEST(count(text, "a fiber held its carrier for ") == 1U, text);
    BOOST_TEST(count(text, "in the system call nanosleep. Which one") == 1U, text);
}

BOOST_AUTO_TEST_CASE(the_child_of_a_fork_has_a_watchdog_of_its_own) {
    const std::string text = report_of([] {
        coir::run([] {
            const pid_t child = ::fork();
            if (child == 0) {
                ::alarm(30);
                coir::run([] { sleep_raw(400ms); });
                ::_exit(0);
            }
            int status = 0;
            BOOST_TEST(::waitpid(child, &status, 0) == child);
            BOOST_TEST(status == 0);
        });
    });
    BOOST_TEST(count(text, "fiber 'main'") == 1U, text);
}

BOOST_AUTO_TEST_CASE(a_threshold_below_a_millisecond_is_refused) {
    BOOST_CHECK_THROW(coir::hook::watch_carriers(0ms), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
