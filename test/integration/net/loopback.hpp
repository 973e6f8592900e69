// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/test/unit_test.hpp>

#include <coir/async.hpp>
#include <coir/net/tcp.hpp>
#include <coir/run.hpp>
#include <coir/timeout.hpp>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace coir::test {

// No test takes as long; the deadline ends one that hangs, before CTest does.
inline constexpr std::chrono::seconds safety_net{COIR_TEST_TIMEOUT / 2};

// Runs the body of a test as the main fiber.
template <class F>
void run_test(F&& body) {
    coir::run([&] { coir::with_timeout(safety_net, body); });
}

inline net::endpoint any_port() { return {net::ip_address::loopback(), 0}; }

// Two ends of a connection.
struct connected_pair {
    explicit connected_pair(const net::endpoint& on = any_port()) {
        net::tcp_listener listener(on);
        client = net::tcp_socket::connect(listener.local_endpoint());
        server = listener.accept();
    }
    net::tcp_socket client;
    net::tcp_socket server;
};

// Where nobody listens: a port that is bound, so that nobody else gets it.
class refusing_endpoint {
public:
    refusing_endpoint() : holder_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        ::setsockopt(holder_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const address = reinterpret_cast<sockaddr*>(&name);
        socklen_t size = sizeof(name);
        BOOST_TEST_REQUIRE(::bind(holder_, address, size) == 0);
        BOOST_TEST_REQUIRE(::getsockname(holder_, address, &size) == 0);
        where = net::endpoint(net::ip_address::loopback(), ntohs(name.sin_port));
    }
    refusing_endpoint(const refusing_endpoint&) = delete;
    refusing_endpoint& operator=(const refusing_endpoint&) = delete;
    ~refusing_endpoint() { ::close(holder_); }

    net::endpoint where;

private:
    int holder_;
};

// A listener that does not answer: its queue is full, so the kernel drops what would start another
// connection. That a handshake on loopback is over when connect(2) returns tells when it is full.
class silent_endpoint {
public:
    silent_endpoint() : listener_(any_port(), one_place()), where(listener_.local_endpoint()) {
        sockaddr_storage name{};
        socklen_t size = sizeof(name);
        ::getsockname(listener_.native_handle(), reinterpret_cast<sockaddr*>(&name), &size);
        for (int i = 0; i < 16; ++i) {
            const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            filling_.push_back(fd);
            ::connect(fd, reinterpret_cast<sockaddr*>(&name), size);
            pollfd polled{fd, POLLOUT, 0};
            if (::poll(&polled, 1, 100) == 0) {
                return;
            }
        }
        BOOST_FAIL("the listener's queue does not fill");
    }
    silent_endpoint(const silent_endpoint&) = delete;
    silent_endpoint& operator=(const silent_endpoint&) = delete;
    ~silent_endpoint() {
        for (const int fd : filling_) {
            ::close(fd);
        }
    }

private:
    static net::listen_options one_place() {
        net::listen_options options;
        options.backlog = 0;
        return options;
    }
    net::tcp_listener listener_;
    std::vector<int> filling_;

public:
    const net::endpoint where;
};

// Makes the next close of the socket a reset.
inline void reset_on_close(const net::tcp_socket& socket) {
    const linger at_once{1, 0};
    BOOST_TEST_REQUIRE(::setsockopt(socket.native_handle(), SOL_SOCKET, SO_LINGER, &at_once,
                                    sizeof(at_once)) == 0);
}

// Fills the way to the peer until the kernel takes no more. @returns how much that was.
inline std::size_t fill(const net::tcp_socket& socket) {
    const std::string block(64 * 1024, 'f');
    std::size_t sent = 0;
    // The peer's kernel moves its window a few times before both ends are full.
    for (int idle = 0; idle < 3;) {
        const ssize_t n =
            ::send(socket.native_handle(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            sent += static_cast<std::size_t>(n);
            idle = 0;
        } else {
            ++idle;
        }
    }
    return sent;
}

inline std::string read_all(net::tcp_socket& socket) {
    std::string all;
    char buffer[64 * 1024];
    while (const std::size_t n = socket.read_some(buffer, sizeof(buffer))) {
        all.append(buffer, n);
    }
    return all;
}

inline void write(net::tcp_socket& socket, const std::string& text) {
    socket.write_all(text.data(), text.size());
}

// The code of the std::system_error that `fn` throws; none if it throws nothing.
template <class F>
std::error_code error_of(F&& fn) {
    try {
        fn();
    } catch (const std::system_error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return e.code();
    }
    return {};
}

inline bool says(const std::exception& e, const std::string& part) {
    return std::string(e.what()).find(part) != std::string::npos;
}

}  // namespace coir::test
