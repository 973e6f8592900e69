// SPDX-License-Identifier: BSL-1.0
// libc's own names, in fibers. That they answer as libc does is in test/integration/posix.
#include "base/unique_fd.hpp"
#include "hook/overlap.hpp"
#include "hook/scopes.hpp"
#include "support/child_process.hpp"

#include <coir/cancellation.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

struct waiting_call {
    const char* name;
    pid_t (*make)(pid_t child);
};
std::ostream& operator<<(std::ostream& out, const waiting_call& call) { return out << call.name; }

const waiting_call waiting_calls[] = {
    {"wait",
     [](pid_t) {
         return ::wait(nullptr);
     }},
    {"waitpid",
     [](pid_t child) {
         return ::waitpid(child, nullptr, 0);
     }},
    {"waitpid for a stop, too",
     [](pid_t child) {
         return ::waitpid(child, nullptr, WUNTRACED);
     }},
    {"wait3",
     [](pid_t) {
         return ::wait3(nullptr, 0, nullptr);
     }},
    {"wait4",
     [](pid_t child) {
         return ::wait4(child, nullptr, 0, nullptr);
     }},
    {"waitid",
     [](pid_t child) {
         return ::waitid(P_PID, static_cast<id_t>(child), nullptr, WEXITED) == 0 ? child : -1;
     }},
};

pid_t sleeping_child(useconds_t time) {
    return child_process([time] { return ::usleep(time); });
}

// Not to leave it to the next test.
void end(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hooked_processes)

BOOST_DATA_TEST_CASE(who_waits_for_a_child_leaves_the_thread_to_others, data::make(waiting_calls),
                     call) {
    check_overlap([&](int) {
        const pid_t child = sleeping_child(200'000);
        BOOST_TEST(call.make(child) > 0);
    });
    BOOST_TEST(::wait(nullptr) == -1);  // every one was taken
}

BOOST_DATA_TEST_CASE(scopes_end_the_wait_and_leave_the_child, data::make(waiting_calls), call) {
    const pid_t child = sleeping_child(2'000'000);
    check_scopes_reach_into([&] { return call.make(child); });
    BOOST_TEST(::waitpid(child, nullptr, WNOHANG) == 0);
    end(child);
}

// The program does not know of it, and may close everything from 3 on.
BOOST_AUTO_TEST_CASE(a_wait_survives_the_end_of_its_descriptor) {
    coir::run([] {
        const pid_t child = sleeping_child(100'000);
        const coir::detail::unique_fd next(::dup(0));
        coir::fiber closer([&] {
            ::usleep(10'000);
            for (int fd = next.get() + 1; fd < next.get() + 5; ++fd) {
                ::close(fd);
            }
        });
        BOOST_TEST(::waitpid(child, nullptr, 0) == child);
        closer.join();
    });
}

BOOST_AUTO_TEST_CASE(commands_leave_the_thread_to_others) {
    check_overlap([](int i) {
        const std::string command = "sleep 0.2; exit " + std::to_string(i);
        const int status = ::system(command.c_str());
        BOOST_TEST(WEXITSTATUS(status) == i);
    });
    check_overlap([](int i) {
        const std::string command = "cat > /dev/null; sleep 0.2; exit " + std::to_string(i);
        FILE* const stream = ::popen(command.c_str(), "w");
        BOOST_TEST(WEXITSTATUS(::pclose(stream)) == i);
    });
}

BOOST_AUTO_TEST_CASE(scopes_end_the_wait_for_a_command) {
    check_scopes_reach_into([] { return ::system("sleep 2"); });
    check_scopes_reach_into([] { return ::pclose(::popen("sleep 2", "r")); });
    // No zombies stay behind: they are taken when they end.
    int children = 0;
    for (int i = 0; i < 500 && (i == 0 || children == 0); ++i) {
        siginfo_t info{};
        children = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
        ::usleep(20'000);
    }
    BOOST_TEST(children == -1);
}

// A cancelled scope must be able to let go of what it holds.
BOOST_AUTO_TEST_CASE(pclose_in_a_cancelled_scope_closes_the_stream) {
    coir::run([] {
        FILE* const stream = ::popen("cat > /dev/null", "w");
        const int fd = ::fileno(stream);
        coir::cancel_scope scope;
        scope.run([&] {
            scope.cancel();
            BOOST_TEST(::pclose(stream) == -1);
            BOOST_TEST(errno == ECANCELED);
        });
        for (int i = 0; i < 500 && ::fcntl(fd, F_GETFD) != -1; ++i) {
            ::usleep(10'000);
        }
        BOOST_TEST(::fcntl(fd, F_GETFD) == -1);
        for (int i = 0; i < 500 && ::waitpid(-1, nullptr, WNOHANG) != -1; ++i) {
            ::usleep(10'000);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_spawned_program_is_awaited) {
    check_overlap([](int) {
        pid_t child = 0;
        char shell[] = "sh";
        char option[] = "-c";
        char command[] = "sleep 0.2; exit 6";
        char* const arguments[] = {shell, option, command, nullptr};
        BOOST_TEST(::posix_spawn(&child, "/bin/sh", nullptr, nullptr, arguments, environ) == 0);
        int status = 0;
        BOOST_TEST(::waitpid(child, &status, 0) == child);
        BOOST_TEST(WEXITSTATUS(status) == 6);
    });
}

BOOST_AUTO_TEST_SUITE_END()
