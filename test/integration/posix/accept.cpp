// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <netinet/in.h>
#include <boost/test/unit_test.hpp>

using namespace coir::test;

namespace {

// Connects and goes.
void visit(const sockaddr_in& address) {
    const unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    must(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

// Writes down whether a call gave a descriptor, and not which: that differs.
template <class Call>
unique_fd accept_with(transcript& t, Call make) {
    int fd = -1;
    t.call("accept", [&] {
        fd = make();
        return fd >= 0 ? 0 : -1;
    });
    return unique_fd(fd);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_accept)

BOOST_AUTO_TEST_CASE(a_visitor_is_awaited) {
    check_law([](const posix_calls& c, transcript& t) {
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address);
        {
            const later peer([&] { visit(address); });
            sockaddr_in from{};
            socklen_t size = sizeof from;
            const unique_fd fd = accept_with(t, [&] {
                return c.accept(listener.get(), reinterpret_cast<sockaddr*>(&from), &size);
            });
            t.add(from.sin_family == AF_INET && size == sizeof from ? "  its address"
                                                                    : "  nonsense");
            t.add(is_nonblocking(fd.get()) ? "  nonblocking" : "  blocking");
            t.add((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0 ? "  kept" : "  inherited");
        }
        const later peer([&] { visit(address); });
        const unique_fd fd = accept_with(t, [&] {
            return c.accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        });
        t.add(is_nonblocking(fd.get()) ? "  nonblocking" : "  blocking");
        t.add((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0 ? "  kept" : "  inherited");
        t.add(is_nonblocking(listener.get()) ? "  listener changed" : "  listener as it was");
    });
}

BOOST_AUTO_TEST_CASE(a_nonblocking_listener_is_never_awaited) {
    check_law([](const posix_calls& c, transcript& t) {
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address);
        set_nonblocking(listener.get());
        accept_with(t, [&] { return c.accept(listener.get(), nullptr, nullptr); });
        visit(address);
        accept_with(t, [&] { return c.accept(listener.get(), nullptr, nullptr); });
        t.add(is_nonblocking(listener.get()) ? "  nonblocking" : "  changed");
    });
}

BOOST_AUTO_TEST_CASE(the_sockets_own_timeout_ends_it) {
    check_law([](const posix_calls& c, transcript& t) {
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address);
        set_timeout(listener.get(), SO_RCVTIMEO, milliseconds(40));
        t.call_of_at_least(milliseconds(40), "accept",
                           [&] { return c.accept(listener.get(), nullptr, nullptr); });
    });
}

BOOST_AUTO_TEST_CASE(shutting_the_listener_down_ends_it) {
    check_law([](const posix_calls& c, transcript& t) {
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address);
        const later other([&] { ::shutdown(listener.get(), SHUT_RDWR); });
        accept_with(t, [&] { return c.accept(listener.get(), nullptr, nullptr); });
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        const auto udp = connected_sockets(socket_kind::udp);
        const auto tcp = connected_sockets(socket_kind::tcp);
        accept_with(t, [&] { return c.accept(-1, nullptr, nullptr); });
        accept_with(t, [&] { return c.accept(pipe.a.get(), nullptr, nullptr); });
        accept_with(t, [&] { return c.accept(udp.a.get(), nullptr, nullptr); });
        accept_with(t, [&] { return c.accept(tcp.a.get(), nullptr, nullptr); });
        accept_with(t, [&] { return c.accept4(tcp.a.get(), nullptr, nullptr, 1); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
