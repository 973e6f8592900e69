// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <netinet/in.h>
#include <sys/un.h>
#include <boost/test/unit_test.hpp>

using namespace coir::test;

namespace {

unique_fd tcp_socket() { return unique_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
unique_fd unix_socket() { return unique_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

int connect_with(const posix_calls& c, int fd, const sockaddr_in& to) {
    return c.connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

// A listener whose backlog is full: TCP drops what else comes in, Unix sockets say EAGAIN.
struct full_tcp_listener {
    full_tcp_listener() {
        listener = listening_socket(address, 0);
        for (int i = 0; i < 4; ++i) {
            filler.push_back(tcp_socket());
            set_nonblocking(filler.back().get());
            connect_with(libc_calls, filler.back().get(), address);
        }
        std::this_thread::sleep_for(milliseconds(20));
    }
    sockaddr_in address{};
    unique_fd listener;
    std::vector<unique_fd> filler;
};

struct full_unix_listener {
    full_unix_listener() : listener(unix_socket()) {
        address.sun_family = AF_UNIX;
        ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t));
        size = sizeof address;
        ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
        ::listen(listener.get(), 0);
        for (int i = 0; i < 4; ++i) {
            filler.push_back(unix_socket());
            set_nonblocking(filler.back().get());
            connect(libc_calls, filler.back().get());
        }
    }
    int connect(const posix_calls& c, int fd) const {
        return c.connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
    }
    unique_fd listener;
    sockaddr_un address{};
    socklen_t size = 0;
    std::vector<unique_fd> filler;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_connect)

BOOST_AUTO_TEST_CASE(a_connection_is_made_and_can_be_used) {
    check_law([](const posix_calls& c, transcript& t) {
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address);
        const unique_fd fd = tcp_socket();
        t.call("connect", [&] { return connect_with(c, fd.get(), address); });
        t.add(is_nonblocking(fd.get()) ? "  nonblocking" : "  blocking");
        t.call("connect again", [&] { return connect_with(c, fd.get(), address); });
        t.call("send", [&] { return c.send(fd.get(), "x", 1, 0); });
    });
}

BOOST_AUTO_TEST_CASE(a_refused_socket_can_try_again) {
    check_law([](const posix_calls& c, transcript& t) {
        sockaddr_in address{};
        unique_fd listener = listening_socket(address);
        listener.reset();
        const unique_fd fd = tcp_socket();
        t.call("connect", [&] { return connect_with(c, fd.get(), address); });
        t.call("connect", [&] { return connect_with(c, fd.get(), address); });
        const unique_fd again(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int on = 1;
        ::setsockopt(again.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        must(::bind(again.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        ::listen(again.get(), 5);
        t.call("connect", [&] { return connect_with(c, fd.get(), address); });
    });
}

BOOST_AUTO_TEST_CASE(a_nonblocking_connect_is_in_progress) {
    check_law([](const posix_calls& c, transcript& t) {
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address);
        const unique_fd fd = tcp_socket();
        set_nonblocking(fd.get());
        t.call("connect", [&] { return connect_with(c, fd.get(), address); });
        pollfd polled{fd.get(), POLLOUT, 0};
        t.call("poll", [&] { return c.poll(&polled, 1, 1000); });
        t.call("connect again", [&] { return connect_with(c, fd.get(), address); });
    });
}

BOOST_AUTO_TEST_CASE(the_sockets_own_timeout_ends_it) {
    check_law([](const posix_calls& c, transcript& t) {
        const full_tcp_listener full;
        const unique_fd fd = tcp_socket();
        set_timeout(fd.get(), SO_SNDTIMEO, milliseconds(60));
        t.call_of_at_least(milliseconds(60), "connect",
                           [&] { return connect_with(c, fd.get(), full.address); });
        t.call_of_at_least(milliseconds(60), "connect again",
                           [&] { return connect_with(c, fd.get(), full.address); });
        t.add(is_nonblocking(fd.get()) ? "  nonblocking" : "  blocking");
    });
}

BOOST_AUTO_TEST_CASE(a_full_unix_listener_is_tried_again) {
    check_law([](const posix_calls& c, transcript& t) {
        const full_unix_listener full;
        const unique_fd fd = unix_socket();
        const later peer([&] { unique_fd(::accept(full.listener.get(), nullptr, nullptr)); });
        t.call("connect", [&] { return full.connect(c, fd.get()); });
        t.add(is_nonblocking(fd.get()) ? "  nonblocking" : "  blocking");
    });
}

BOOST_AUTO_TEST_CASE(a_full_unix_listener_ends_it_in_time) {
    check_law([](const posix_calls& c, transcript& t) {
        const full_unix_listener full;
        const unique_fd fd = unix_socket();
        set_timeout(fd.get(), SO_SNDTIMEO, milliseconds(50));
        t.call_of_at_least(milliseconds(50), "connect", [&] { return full.connect(c, fd.get()); });
        const unique_fd other = unix_socket();
        set_nonblocking(other.get());
        t.call("nonblocking", [&] { return full.connect(c, other.get()); });
    });
}

BOOST_AUTO_TEST_CASE(datagram_sockets_connect_at_once) {
    check_law([](const posix_calls& c, transcript& t) {
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address);
        const unique_fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        t.call("connect", [&] { return connect_with(c, fd.get(), address); });
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        const unique_fd fd = tcp_socket();
        sockaddr_in address{};
        t.call("connect -1", [&] { return connect_with(c, -1, address); });
        t.call("connect a pipe", [&] { return connect_with(c, pipe.a.get(), address); });
        t.add(is_nonblocking(pipe.a.get()) ? "  nonblocking" : "  blocking");
        address.sin_family = AF_UNIX;
        t.call("connect elsewhere", [&] { return connect_with(c, fd.get(), address); });
        sockaddr_un missing{};
        missing.sun_family = AF_UNIX;
        const unique_fd local = unix_socket();
        const std::string name = "/nonexistent/socket";
        name.copy(missing.sun_path, name.size());
        t.call("connect to no file", [&] {
            return c.connect(local.get(), reinterpret_cast<sockaddr*>(&missing), sizeof missing);
        });
    });
}

BOOST_AUTO_TEST_SUITE_END()
