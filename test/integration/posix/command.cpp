// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace coir::test;

namespace {

std::string output_of(FILE* stream) {
    std::string text;
    for (int c = std::fgetc(stream); c != EOF; c = std::fgetc(stream)) {
        text.push_back(static_cast<char>(c));
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_command)

BOOST_AUTO_TEST_CASE(a_command_is_run_to_its_end) {
    check_law([](const posix_calls& c, transcript& t) {
        t.call_of_at_least(milliseconds(30), "system",
                           [&] { return c.system("sleep 0.03; exit 3"); });
        t.call("killed", [&] { return c.system("kill -9 $$"); });
        t.call("no such command", [&] { return c.system("/no/such/command 2> /dev/null"); });
        t.call("is there a shell", [&] { return c.system(nullptr); });
    });
}

BOOST_AUTO_TEST_CASE(a_command_may_be_read_and_written) {
    check_law([](const posix_calls& c, transcript& t) {
        FILE* stream = c.popen("echo one; sleep 0.03; echo two; exit 4", "re");
        t.add(output_of(stream));
        t.add((::fcntl(::fileno(stream), F_GETFD) & FD_CLOEXEC) != 0 ? "kept" : "inherited");
        t.call("pclose", [&] { return c.pclose(stream); });
        stream = c.popen("read line; test \"$line\" = hello", "w");
        std::fputs("hello\n", stream);
        t.call("pclose", [&] { return c.pclose(stream); });
        t.call("no such mode", [&] { return c.popen("true", "x") == nullptr ? -1 : 0; });
    });
}

// The mask of the caller and not that of some other thread is what a command starts with.
BOOST_AUTO_TEST_CASE(a_command_blocks_the_signals_that_its_caller_blocks) {
    check_law([](const posix_calls& c, transcript& t) {
        sigset_t blocked;
        sigset_t before;
        ::sigemptyset(&blocked);
        ::sigaddset(&blocked, SIGUSR1);
        ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
        const char* const kill_itself = "kill -USR1 $$; kill -USR2 $$; exit 0";
        t.call("system", [&] { return c.system(kill_itself); });
        t.call("pclose", [&] { return c.pclose(c.popen(kill_itself, "w")); });
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    });
}

BOOST_AUTO_TEST_SUITE_END()
