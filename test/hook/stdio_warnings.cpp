// SPDX-License-Identifier: BSL-1.0
// What libc prints to the standard error: perror, warn, error and their like. In a fiber they print
// what libc prints, and who waits for the standard error leaves the thread to others.
#include "hook/callers.hpp"
#include "hook/streams.hpp"
#include "support/child_process.hpp"

#include <coir/cancellation.hpp>
#include <coir/timeout.hpp>

#include <err.h>
#include <error.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>
#include <array>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdarg>
#include <ostream>
#include <string>
#include <utility>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

struct message {
    const char* name;
    void (*tell)();
};
std::ostream& operator<<(std::ostream& out, const message& m) { return out << m.name; }

template <void (*print)(const char*, va_list)>
void with_list(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
}

template <void (*print)(int, const char*, va_list)>
void with_list_and_status(int status, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(status, format, arguments);
    va_end(arguments);
}

const message messages[] = {
    {"perror",
     [] {
         ::perror("prefix");
     }},
    {"perror of nothing",
     [] {
         ::perror("");
         errno = ENOENT;
         ::perror(nullptr);
     }},
    {"warn",
     [] {
         ::warn("number %d", 7);
     }},
    {"warn of an error",
     [] {
         ::warn(asking_for_errno(), "errno");
     }},
    {"warn of nothing",
     [] {
         ::warn(nullptr);
         ::warnx(nullptr);
     }},
    {"warnx",
     [] {
         ::warnx("number %d", 7);
     }},
    {"vwarn",
     [] {
         with_list<::vwarn>("%s", "text");
     }},
    {"vwarnx",
     [] {
         with_list<::vwarnx>("%s", "text");
     }},
    {"error",
     [] {
         ::error(0, EPERM, "number %d", 7);
     }},
    {"error without a reason",
     [] {
         ::error(0, 0, asking_for_errno(), "errno");
     }},
    {"error with a function for the name",
     [] {
         ::error_print_progname = [] {
             ::fputs("somebody>", stderr);
         };
         ::error(0, EPERM, "number %d", 7);
         ::error_print_progname = nullptr;
     }},
    {"error_at_line",
     [] {
         ::error_at_line(0, EPERM, "a file", 42, "number %d", 7);
         ::error_at_line(0, 0, nullptr, 42, "number %d", 7);
     }},
    {"error_at_line once a line",
     [] {
         ::error_one_per_line = 1;
         for (const unsigned line : {1U, 1U, 2U, 1U}) {
             ::error_at_line(0, 0, "a file", line, "number %u", line);
         }
         ::error_at_line(0, 0, "another file", 1, "number %d", 7);
         ::error_one_per_line = 0;
     }},
    {"psignal",
     [] {
         ::psignal(SIGTERM, "prefix");
         ::psignal(SIGTERM, "");
         ::psignal(SIGRTMIN, nullptr);
         ::psignal(-3, "prefix");
     }},
    {"herror",
     [] {
         h_errno = HOST_NOT_FOUND;
         ::herror("prefix");
         ::herror(nullptr);
     }},
};

struct last_message {
    const char* name;
    void (*tell)();
    int status;
};
std::ostream& operator<<(std::ostream& out, const last_message& m) { return out << m.name; }

const last_message last_messages[] = {
    {"err", [] { ::err(3, "number %d", 7); }, 3},
    {"errx", [] { ::errx(4, "number %d", 7); }, 4},
    {"verr", [] { with_list_and_status<::verr>(5, "%s", "text"); }, 5},
    {"verrx", [] { with_list_and_status<::verrx>(6, "%s", "text"); }, 6},
    {"error", [] { ::error(7, EPERM, "number %d", 7); }, 7},
    {"error_at_line", [] { ::error_at_line(8, 0, "a file", 42, "number %d", 7); }, 8},
};

std::string all_of(int fd) {
    std::string text;
    std::array<char, 100'000> buffer;
    for (ssize_t got; (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
        text.append(buffer.data(), std::size_t(got));
    }
    return text;
}

// In a process of its own, which begins with a standard error that nobody has used.
template <class Tell>
std::string printed_by(Tell tell, int& status) {
    descriptor_pair pair = pipe_ends();
    const pid_t child = child_process([&] {
        ::dup2(pair.b.get(), STDERR_FILENO);
        pair.b.reset();
        tell();
        return 0;
    });
    pair.b.reset();
    const std::string text = all_of(pair.a.get());
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    return text;
}

enum class orientation { none, bytes, wide };
std::ostream& operator<<(std::ostream& out, orientation o) {
    constexpr const char* names[] = {"not used", "bytes", "wide characters"};
    return out << names[static_cast<std::size_t>(o)];
}
constexpr orientation orientations[] = {orientation::none, orientation::bytes, orientation::wide};

void orient(orientation how) {
    if (how != orientation::none) {
        ::fwide(stderr, how == orientation::wide ? 1 : -1);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hooked_stdio_warnings)

BOOST_DATA_TEST_CASE(messages_are_those_of_libc, data::make(messages) * data::make(orientations), m,
                     how) {
    const auto tell = [&] {
        orient(how);
        errno = ENOENT;
        m.tell();
        ::fflush(stderr);
        // perror leaves a stream that was not used as it is, but not in libc where it is a pipe.
        if (how != orientation::none || m.name[0] != 'p') {
            ::dprintf(STDERR_FILENO, "is %d, ", ::fwide(stderr, 0));
        }
        ::dprintf(STDERR_FILENO, "%u errors\n", ::error_message_count);
    };
    int status = 0;
    const std::string by_libc = printed_by(tell, status);
    const std::string in_fiber = printed_by([&] { coir::run(tell); }, status);
    BOOST_TEST(!by_libc.empty());
    BOOST_TEST(in_fiber == by_libc);
}

BOOST_DATA_TEST_CASE(the_last_message_of_a_program_is_that_of_libc,
                     data::make(last_messages) * data::make(orientations), m, how) {
    const auto tell = [&] {
        orient(how);
        errno = ENOENT;
        ::signal(SIGABRT, SIG_DFL);
        ::on_exit([](int code, void*) { ::_exit(code + 100); }, nullptr);
        m.tell();
    };
    int status = 0;
    const std::string by_libc = printed_by(tell, status);
    BOOST_TEST(WEXITSTATUS(status) == m.status + 100);
    const std::string in_fiber = printed_by([&] { coir::run(tell); }, status);
    BOOST_TEST(WEXITSTATUS(status) == m.status + 100);
    BOOST_TEST(!by_libc.empty());
    BOOST_TEST(in_fiber == by_libc);
}

BOOST_DATA_TEST_CASE(who_tells_leaves_the_thread_to_others, data::make(messages), m) {
    const time_bomb bomb;
    coir::run([&] {
        descriptor_pair pair = pipe_ends();
        fill(pair.b.get());
        const int full = unread(pair.a.get());
        bool has_told = false;
        coir::fiber teller;
        {
            const standard_error_in pipe(pair.b.get());
            pair.b.reset();
            teller = coir::fiber([&] {
                errno = ENOENT;
                m.tell();
                has_told = true;
            });
            ::usleep(1'000);
            BOOST_TEST(!has_told);
            std::array<char, 100'000> buffer;
            for (int got = 0; got < full || !has_told;) {
                const ssize_t more = ::read(pair.a.get(), buffer.data(), buffer.size());
                BOOST_REQUIRE(more > 0);
                got += static_cast<int>(more);
                ::usleep(1'000);
            }
            teller.join();
        }
    });
}

BOOST_DATA_TEST_CASE(scopes_end_the_wait_for_the_standard_error, data::make(messages), m) {
    const time_bomb bomb;
    coir::run([&] {
        descriptor_pair pair = pipe_ends();
        fill(pair.b.get());
        const standard_error_in pipe(pair.b.get());
        BOOST_CHECK_THROW(coir::with_timeout(std::chrono::milliseconds(20), m.tell),
                          coir::timed_out);
        ::clearerr(stderr);
    });
}

BOOST_AUTO_TEST_SUITE_END()
