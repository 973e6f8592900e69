// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"
#include "support/child_process.hpp"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace coir::test;

namespace {

constexpr milliseconds a_while{30};

pid_t child_that_takes_a_while(int status = 7) {
    return child_process([status] {
        std::this_thread::sleep_for(a_while);
        return status;
    });
}

// Process numbers differ from run to run; 1 is the child.
template <class Call>
auto is_child(pid_t child, Call call) {
    return [child, call] {
        const pid_t found = call();
        return found == child ? 1 : found;
    };
}

void tell(transcript& t, int status) { t.add("  status " + std::to_string(status)); }

void tell(transcript& t, const siginfo_t& info, pid_t child) {
    t.add("  signal " + std::to_string(info.si_signo) + " code " + std::to_string(info.si_code) +
          " status " + std::to_string(info.si_status) +
          (info.si_pid == child ? " of the child" : " of nobody"));
}

void reap(pid_t child) { must(::waitpid(child, nullptr, 0) == child); }

// While it lives, the default of a signal is another.
class with_disposition {
public:
    with_disposition(int signal, void (*handler)(int))
        : signal_(signal), before_(::signal(signal, handler)) {}
    with_disposition(const with_disposition&) = delete;
    with_disposition& operator=(const with_disposition&) = delete;
    ~with_disposition() { ::signal(signal_, before_); }

private:
    int signal_;
    void (*before_)(int);
};

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_wait_child)

BOOST_AUTO_TEST_CASE(the_end_of_one_child_is_awaited) {
    check_law([](const posix_calls& c, transcript& t) {
        int status = 0;
        const auto end = transcript::clock::now() + a_while;
        pid_t child = child_that_takes_a_while();
        t.call_until(end, "waitpid", is_child(child, [&] { return c.waitpid(child, &status, 0); }));
        tell(t, status);
        child = child_that_takes_a_while(8);
        rusage usage{};
        usage.ru_maxrss = -1;
        t.call("wait4", is_child(child, [&] { return c.wait4(child, &status, 0, &usage); }));
        tell(t, status);
        t.add(usage.ru_maxrss > 0 ? "  its usage" : "  no usage");
        child = child_that_takes_a_while(9);
        siginfo_t info{};
        const auto number = static_cast<id_t>(child);
        t.call("waitid that leaves it",
               [&] { return c.waitid(P_PID, number, &info, WEXITED | WNOWAIT); });
        tell(t, info, child);
        t.call("waitid", [&] { return c.waitid(P_PID, number, nullptr, WEXITED); });
        t.call("waitid again", [&] { return c.waitid(P_PID, number, &info, WEXITED); });
        child = child_process([]() -> int { return ::pause(); });
        const later kill([child] { ::kill(child, SIGKILL); });
        t.call("waitpid", is_child(child, [&] { return c.waitpid(child, &status, 0); }));
        tell(t, status);
    });
}

BOOST_AUTO_TEST_CASE(so_is_that_of_any_child) {
    check_law([](const posix_calls& c, transcript& t) {
        int status = 0;
        pid_t child = child_that_takes_a_while(1);
        t.call("wait", is_child(child, [&] { return c.wait(&status); }));
        tell(t, status);
        child = child_that_takes_a_while(2);
        t.call("wait3", is_child(child, [&] { return c.wait3(&status, 0, nullptr); }));
        tell(t, status);
        child = child_that_takes_a_while(3);
        t.call("waitpid", is_child(child, [&] { return c.waitpid(0, &status, 0); }));
        tell(t, status);
        child = child_that_takes_a_while(4);
        siginfo_t info{};
        t.call("waitid", [&] { return c.waitid(P_ALL, 0, &info, WEXITED); });
        tell(t, info, child);
        child = child_that_takes_a_while(5);
        t.call("waitid",
               [&] { return c.waitid(P_PGID, static_cast<id_t>(::getpgrp()), &info, WEXITED); });
        tell(t, info, child);
    });
}

BOOST_AUTO_TEST_CASE(a_look_does_not_wait) {
    check_law([](const posix_calls& c, transcript& t) {
        int status = 0;
        siginfo_t info{};
        const pid_t child = child_process([]() -> int { return ::pause(); });
        const auto number = static_cast<id_t>(child);
        t.call("waitpid", [&] { return c.waitpid(child, &status, WNOHANG); });
        t.call("wait3", [&] { return c.wait3(&status, WNOHANG, nullptr); });
        t.call("waitid", [&] { return c.waitid(P_PID, number, &info, WEXITED | WNOHANG); });
        tell(t, info, child);
        ::kill(child, SIGKILL);
        t.call("wait4", is_child(child, [&] { return c.wait4(child, &status, 0, nullptr); }));
        tell(t, status);
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_wait_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        int status = 0;
        siginfo_t info{};
        t.call("no child", [&] { return c.wait(&status); });
        t.call("not a child", [&] { return c.waitpid(1, &status, 0); });
        t.call("no such option", [&] { return c.waitpid(-1, &status, 1 << 20); });
        t.call("waits for nothing", [&] { return c.waitid(P_ALL, 0, &info, 0); });
        t.call("no descriptor", [&] { return c.waitid(P_PIDFD, 4'000, &info, WEXITED); });
    });
}

BOOST_AUTO_TEST_CASE(stops_are_awaited_if_asked_for) {
    check_law([](const posix_calls& c, transcript& t) {
        int status = 0;
        const pid_t child = child_process([] {
            std::this_thread::sleep_for(a_while);
            ::raise(SIGSTOP);
            std::this_thread::sleep_for(a_while);
            return 7;
        });
        t.call("waitpid", is_child(child, [&] { return c.waitpid(child, &status, WUNTRACED); }));
        tell(t, status);
        {
            const later go_on([child] { ::kill(child, SIGCONT); });
            t.call("waitpid",
                   is_child(child, [&] { return c.waitpid(child, &status, WCONTINUED); }));
        }
        tell(t, status);
        t.call("waitpid", is_child(child, [&] { return c.waitpid(child, &status, 0); }));
        tell(t, status);
    });
}

BOOST_AUTO_TEST_CASE(a_tracer_is_told_of_stops) {
    check_law([](const posix_calls& c, transcript& t) {
        int status = 0;
        const pid_t child = child_process([] {
            ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
            ::raise(SIGUSR1);  // shown to the tracer, who does not pass it on
            std::this_thread::sleep_for(a_while);
            ::raise(SIGUSR2);
            return 7;
        });
        for (const char* const what : {"first stop", "second stop"}) {
            t.call(what, is_child(child, [&] { return c.waitpid(child, &status, 0); }));
            tell(t, status);
            ::ptrace(PTRACE_CONT, child, nullptr, nullptr);
        }
        t.call("end", is_child(child, [&] { return c.waitpid(child, &status, 0); }));
        tell(t, status);
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_of_a_child_is_waited_for_on_its_own_terms) {
    check_law([](const posix_calls& c, transcript& t) {
        siginfo_t info{};
        for (const bool nonblocking : {false, true}) {
            const pid_t child = child_that_takes_a_while();
            const unique_fd fd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
            set_nonblocking(fd.get(), nonblocking);
            t.call("waitid",
                   [&] { return c.waitid(P_PIDFD, static_cast<id_t>(fd.get()), &info, WEXITED); });
            if (nonblocking) {
                reap(child);
            } else {
                tell(t, info, child);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(children_that_nobody_wants_to_know_of_are_awaited_in_vain) {
    check_law([](const posix_calls& c, transcript& t) {
        const with_disposition ignored(SIGCHLD, SIG_IGN);
        int status = 0;
        for (const bool any : {false, true}) {
            const auto end = transcript::clock::now() + a_while;
            const pid_t child = child_that_takes_a_while();
            t.call_until(end, "waitpid", [&] { return c.waitpid(any ? -1 : child, &status, 0); });
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
