// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <boost/test/unit_test.hpp>
#include <initializer_list>

using namespace coir::test;

namespace {

fd_set set_of(std::initializer_list<int> fds) {
    fd_set set;
    FD_ZERO(&set);
    for (const int fd : fds) {
        FD_SET(fd, &set);
    }
    return set;
}

// Selects with all three sets of the same descriptors, and writes down where each is afterwards.
void select_all(const posix_calls& c, transcript& t, std::initializer_list<int> fds, bool to_write,
                timeval* timeout) {
    fd_set read = set_of(fds);
    fd_set write = set_of(fds);
    fd_set except = set_of(fds);
    t.call("select", [&] {
        return c.select(FD_SETSIZE, &read, to_write ? &write : nullptr, &except, timeout);
    });
    for (const int fd : fds) {
        t.add(std::string("  ") + (FD_ISSET(fd, &read) ? "r" : "-") +
              (to_write && FD_ISSET(fd, &write) ? "w" : "-") + (FD_ISSET(fd, &except) ? "e" : "-"));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_select)

BOOST_AUTO_TEST_CASE(what_is_ready_stays_in_its_set) {
    check_law([](const posix_calls& c, transcript& t) {
        auto tcp = connected_sockets(socket_kind::tcp);
        auto pipe = pipe_ends();
        select_all(c, t, {tcp.a.get(), pipe.a.get()}, true, nullptr);
        must(::send(tcp.b.get(), "x", 1, 0) == 1);
        select_all(c, t, {tcp.a.get(), pipe.a.get(), pipe.b.get()}, true, nullptr);
        must(::send(tcp.b.get(), "!", 1, MSG_OOB) == 1);
        select_all(c, t, {tcp.a.get()}, false, nullptr);
        pipe.b.reset();
        select_all(c, t, {pipe.a.get()}, true, nullptr);
    });
}

BOOST_AUTO_TEST_CASE(what_is_not_ready_is_awaited) {
    check_law([](const posix_calls& c, transcript& t) {
        auto tcp = connected_sockets(socket_kind::tcp);
        auto pipe = pipe_ends();
        {
            const later peer([&] { must(::write(pipe.b.get(), "x", 1) == 1); });
            select_all(c, t, {tcp.a.get(), pipe.a.get()}, false, nullptr);
        }
        {
            const later peer([&] { ::send(tcp.b.get(), "!", 1, MSG_OOB); });
            select_all(c, t, {tcp.a.get()}, false, nullptr);
        }
        auto quiet = pipe_ends();
        const later peer([&] { quiet.b.reset(); });
        select_all(c, t, {quiet.a.get()}, false, nullptr);
    });
}

BOOST_AUTO_TEST_CASE(the_time_that_is_left_is_told) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        timeval time{0, 30'000};
        t.call_of_at_least(milliseconds(30), "select", [&] {
            fd_set read = set_of({pipe.a.get()});
            return c.select(FD_SETSIZE, &read, nullptr, nullptr, &time);
        });
        t.add("  " + std::to_string(time.tv_sec) + " " + std::to_string(time.tv_usec));
        time = {0, 0};
        select_all(c, t, {pipe.a.get()}, false, &time);
        time = {0, 20'000};
        t.call_of_at_least(milliseconds(20), "a sleep",
                           [&] { return c.select(0, nullptr, nullptr, nullptr, &time); });
        const later peer([&] { must(::write(pipe.b.get(), "x", 1) == 1); });
        time = {3, 7'000'000};  // ten seconds
        select_all(c, t, {pipe.a.get()}, false, &time);
        t.add(time.tv_sec == 9 && time.tv_usec > 0 ? "  nine and something" : "  nonsense");
    });
}

BOOST_AUTO_TEST_CASE(pselect_leaves_its_time_alone) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        const timespec time{0, 20'000'000};
        fd_set read = set_of({pipe.a.get()});
        t.call_of_at_least(milliseconds(20), "pselect", [&] {
            return c.pselect(FD_SETSIZE, &read, nullptr, nullptr, &time, nullptr);
        });
        t.add(FD_ISSET(pipe.a.get(), &read) ? "  still there" : "  gone");
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        fd_set read = set_of({900});
        timeval time{0, 10'000};
        t.call("not open", [&] { return c.select(901, &read, nullptr, nullptr, &time); });
        t.add(FD_ISSET(900, &read) ? "  still there" : "  gone");
        t.call("beyond the count", [&] { return c.select(5, &read, nullptr, nullptr, &time); });
        t.add(FD_ISSET(900, &read) ? "  still there" : "  gone");
        t.call("negative", [&] { return c.select(-1, nullptr, nullptr, nullptr, &time); });
        time = {-1, 0};
        t.call("negative time", [&] { return c.select(0, nullptr, nullptr, nullptr, &time); });
        const timespec broken{0, 1'000'000'000};
        t.call("broken time",
               [&] { return c.pselect(0, nullptr, nullptr, nullptr, &broken, nullptr); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
