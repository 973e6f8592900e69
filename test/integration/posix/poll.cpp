// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <coir/run.hpp>

#include <sys/resource.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

void poll_with(const posix_calls& c, transcript& t, std::vector<pollfd> fds, int timeout_ms,
               const std::string& what = "poll") {
    t.call(what, [&] { return c.poll(fds.data(), fds.size(), timeout_ms); });
    for (const pollfd& one : fds) {
        t.add("  " + std::to_string(one.revents));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_poll)

BOOST_DATA_TEST_CASE(what_is_ready_is_told_at_once, data::make(all_socket_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        for (const int timeout : {0, 10'000, -1}) {
            poll_with(c, t, {{pair.a.get(), POLLIN | POLLOUT, 0}}, timeout);
        }
        must(::send(pair.b.get(), "x", 1, 0) == 1);
        poll_with(c, t, {{pair.a.get(), POLLIN | POLLOUT, 0}}, -1);
        poll_with(c, t, {{pair.a.get(), POLLIN, 0}, {pair.b.get(), POLLIN, 0}}, -1);
        poll_with(c, t, {{pair.b.get(), POLLIN, 0}}, 0);
    });
}

BOOST_DATA_TEST_CASE(the_first_of_several_ends_it, data::make(all_socket_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto one = connected_sockets(kind);
        const auto two = connected_sockets(kind);
        const auto pipe = pipe_ends();
        {
            const later peer([&] { ::send(two.b.get(), "x", 1, 0); });
            poll_with(c, t,
                      {{one.a.get(), POLLIN, 0},
                       {two.a.get(), POLLIN, 0},
                       {-5, POLLIN, 77},
                       {two.a.get(), POLLIN | POLLPRI, 0},
                       {pipe.a.get(), POLLIN, 0}},
                      -1);
        }
        const later peer([&] { must(::write(pipe.b.get(), "x", 1) == 1); });
        poll_with(c, t, {{one.a.get(), POLLIN, 0}, {pipe.a.get(), POLLIN, 0}}, 5'000);
    });
}

BOOST_AUTO_TEST_CASE(timeouts_are_never_early) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::tcp);
        pollfd one{pair.a.get(), POLLIN, 0};
        t.call_of_at_least(milliseconds(25), "poll", [&] { return c.poll(&one, 1, 25); });
        t.call_of_at_least(milliseconds(25), "poll of nothing",
                           [&] { return c.poll(nullptr, 0, 25); });
        one.fd = -1;
        t.call_of_at_least(milliseconds(25), "poll of -1", [&] { return c.poll(&one, 1, 25); });
        one.fd = pair.a.get();
        const timespec time{0, 25'000'001};
        t.call_of_at_least(milliseconds(25), "ppoll",
                           [&] { return c.ppoll(&one, 1, &time, nullptr); });
        const timespec none{0, 0};
        t.call("ppoll", [&] { return c.ppoll(&one, 1, &none, nullptr); });
    });
}

BOOST_AUTO_TEST_CASE(ends_errors_and_closed_descriptors_are_told) {
    check_law([](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(socket_kind::tcp);
        auto reading = pipe_ends();
        auto writing = pipe_ends();
        poll_with(c, t, {{987, POLLIN, 0}, {pair.a.get(), POLLIN, 0}}, -1, "not open");
        {
            const later peer([&] { pair.b.reset(); });
            poll_with(c, t, {{pair.a.get(), POLLIN | POLLRDHUP, 0}}, -1, "end of stream");
        }
        {
            const later peer([&] { reading.b.reset(); });
            poll_with(c, t, {{reading.a.get(), POLLIN, 0}}, -1, "end of pipe");
        }
        {
            const std::string text(65'536, 'x');
            must(::write(writing.b.get(), text.data(), text.size()) == 65'536);
            const later peer([&] { writing.a.reset(); });
            poll_with(c, t, {{writing.b.get(), POLLOUT, 0}}, -1, "nobody reads");
        }
    });
}

// No event was asked for, or one that readiness does not tell of, with data there all the time.
BOOST_AUTO_TEST_CASE(rare_events_are_seen_too) {
    check_law([](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(socket_kind::tcp);
        auto pipe = pipe_ends();
        {
            const later peer([&] { pipe.b.reset(); });
            poll_with(c, t, {{pipe.a.get(), 0, 0}}, -1, "a hang-up alone");
        }
        {
            const later peer([&] { ::send(pair.b.get(), "!", 1, MSG_OOB); });
            poll_with(c, t, {{pair.a.get(), POLLPRI, 0}}, -1, "urgent data");
        }
        must(::send(pair.b.get(), "x", 1, 0) == 1);
        char letter = 0;
        must(::recv(pair.a.get(), &letter, 1, MSG_OOB) == 1);
        pollfd one{pair.a.get(), POLLPRI | POLLRDHUP, 0};
        t.call_of_at_least(milliseconds(30), "data that was not asked for",
                           [&] { return c.poll(&one, 1, 30); });
        const later peer([&] { ::shutdown(pair.b.get(), SHUT_WR); });
        poll_with(c, t, {{pair.a.get(), POLLRDHUP, 0}}, -1, "the peer's end behind data");
    });
}

BOOST_AUTO_TEST_CASE(files_are_always_ready) {
    check_law([](const posix_calls& c, transcript& t) {
        const unique_fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
        const auto pair = connected_sockets(socket_kind::tcp);
        poll_with(c, t, {{file.get(), POLLIN, 0}, {pair.a.get(), POLLIN, 0}}, -1);
        pollfd one{file.get(), POLLPRI, 0};
        t.call_of_at_least(milliseconds(20), "nothing urgent in a file",
                           [&] { return c.poll(&one, 1, 20); });
    });
}

BOOST_AUTO_TEST_CASE(two_thousand_descriptors_are_polled) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 4200) {
        BOOST_TEST_MESSAGE("skipped: the hard limit of open files is below 4200");
        return;
    }
    const rlimit before = limit;
    limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    check_law([](const posix_calls& c, transcript& t) {
        std::vector<descriptor_pair> pipes;
        std::vector<pollfd> fds;
        for (int i = 0; i < 2000; ++i) {
            pipes.push_back(pipe_ends());
            fds.push_back({pipes.back().a.get(), POLLIN, 0});
        }
        for (const std::size_t chosen : {std::size_t{0}, std::size_t{1234}, std::size_t{1999}}) {
            const later peer([&] { must(::write(pipes[chosen].b.get(), "x", 1) == 1); });
            t.call("poll", [&] { return c.poll(fds.data(), fds.size(), -1); });
            t.add(fds[chosen].revents == POLLIN ? "  the one" : "  another one");
            char letter = 0;
            must(::read(pipes[chosen].a.get(), &letter, 1) == 1);
        }
        t.call("poll", [&] { return c.poll(fds.data(), fds.size(), 5); });
    });
    ::setrlimit(RLIMIT_NOFILE, &before);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        pollfd one{-1, POLLIN, 0};
        const timespec negative{-1, 0};
        const timespec broken{0, 1'000'000'000};
        t.call("ppoll negative", [&] { return c.ppoll(&one, 1, &negative, nullptr); });
        t.call("ppoll broken", [&] { return c.ppoll(&one, 1, &broken, nullptr); });
    });
}

// The classic use of ppoll: a signal is blocked but while it waits, so none is missed.
BOOST_AUTO_TEST_CASE(a_signal_that_the_mask_lets_in_interrupts) {
    static volatile std::sig_atomic_t handled = 0;
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {
        handled = handled + 1;
    };
    ::sigaction(SIGUSR1, &action, &before);
    check_law([](const posix_calls& c, transcript& t) {
        handled = 0;
        sigset_t blocked;
        ::sigemptyset(&blocked);
        ::sigaddset(&blocked, SIGUSR1);
        sigset_t outside;
        ::pthread_sigmask(SIG_BLOCK, &blocked, &outside);
        sigset_t let_in = outside;
        ::sigdelset(&let_in, SIGUSR1);
        const auto self = ::pthread_self();
        const auto pair = connected_sockets(socket_kind::tcp);
        pollfd one{pair.a.get(), POLLIN, 0};
        ::pthread_kill(self, SIGUSR1);
        t.call("pending", [&] { return c.ppoll(&one, 1, nullptr, &let_in); });
        t.add("  handled " + std::to_string(handled));
        {
            const later peer([self] { ::pthread_kill(self, SIGUSR1); });
            t.call("arriving", [&] { return c.ppoll(&one, 1, nullptr, &let_in); });
            t.add("  handled " + std::to_string(handled));
        }
        const later peer([self] { ::pthread_kill(self, SIGUSR1); });
        t.call("select", [&] { return c.pselect(0, nullptr, nullptr, nullptr, nullptr, &let_in); });
        t.add("  handled " + std::to_string(handled));
        ::pthread_sigmask(SIG_SETMASK, &outside, nullptr);
    });
    ::sigaction(SIGUSR1, &before, nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
