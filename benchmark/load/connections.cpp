// SPDX-License-Identifier: BSL-1.0
#include "connections.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

namespace load {

namespace {

constexpr std::size_t beginnings = 251;  // prime, so that connections do not fall into step
constexpr std::size_t connections_a_source = 5000;
constexpr std::size_t opened_at_once = 256;  // far fewer than fit a server's backlog
constexpr int patience_ms = 10'000;

int checked(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::system_category(), what);
    }
    return result;
}

sockaddr_in loopback(std::uint32_t host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
    address.sin_port = htons(port);
    return address;
}

}  // namespace

connections::connections(const options& what)
    : what_(what), epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    pattern_.resize(what_.bytes + beginnings);
    std::uint32_t random = 1;
    for (char& byte : pattern_) {
        random = random * 1'664'525 + 1'013'904'223;
        byte = static_cast<char>(random >> 24);
    }
    answer_.resize(what_.bytes + 1);
    all_.reserve(what_.connections + what_.idle);
    const std::size_t wanted = what_.connections + what_.idle;
    while (all_.size() < wanted) {
        const std::size_t opened = all_.size();
        while (all_.size() < std::min(wanted, opened + opened_at_once)) {
            all_.push_back(open(all_.size()));
            ask(all_.back());
        }
        for (std::size_t i = opened; i < all_.size(); ++i) {
            while (!take_answer(all_[i])) {
            }
        }
    }
    for (std::size_t i = 0; i < what_.connections; ++i) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &all_[i];
        checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, all_[i].socket, &event), "epoll_ctl");
    }
}

connections::~connections() {
    for (const connection& each : all_) {
        ::close(each.socket);
    }
    ::close(epoll_);
}

// From several addresses of loopback: one has 28,000 ports by default, and those of the windows
// before are not free at once.
connections::connection connections::open(std::size_t index) const {
    connection opened;
    opened.socket = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const int on = 1;
    ::setsockopt(opened.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(opened.socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const timeval patience{patience_ms / 1000,
                           0};  // it is asked without blocking but the first time
    ::setsockopt(opened.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto source = loopback(static_cast<std::uint32_t>(index / connections_a_source), 0);
    checked(::bind(opened.socket, reinterpret_cast<const sockaddr*>(&source), sizeof source),
            "bind");
    const auto server = loopback(0, what_.port);
    checked(::connect(opened.socket, reinterpret_cast<const sockaddr*>(&server), sizeof server),
            "connect");
    return opened;
}

void connections::ask(connection& on) {
    next_begin_ = (next_begin_ + 1) % beginnings;
    on.pattern_begin = next_begin_;
    on.answered = 0;
    on.asked = clock::now();
    const ssize_t sent =
        ::send(on.socket, pattern_.data() + on.pattern_begin, what_.bytes, MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(what_.bytes)) {
        checked(static_cast<int>(sent), "send");
        throw std::runtime_error("a request does not fit the socket's buffer");
    }
}

// True: the answer is whole. A byte more than is due would be taken, and is an error.
bool connections::take_answer(connection& on) {
    const ssize_t got = ::recv(on.socket, answer_.data(), what_.bytes - on.answered + 1, 0);
    if (got <= 0) {
        checked(static_cast<int>(got), "recv");
        throw std::runtime_error("the server has closed a connection");
    }
    const auto size = static_cast<std::size_t>(got);
    if (on.answered + size > what_.bytes) {
        throw std::runtime_error("a server's answer is longer than the request");
    }
    if (std::memcmp(answer_.data(), pattern_.data() + on.pattern_begin + on.answered, size) != 0) {
        throw std::runtime_error("a server's answer is not the request");
    }
    on.answered += size;
    return on.answered == what_.bytes;
}

void connections::run(std::chrono::nanoseconds how_long, latencies& into) {
    const auto end = clock::now() + how_long;
    std::size_t under_way = what_.connections;
    for (std::size_t i = 0; i < what_.connections; ++i) {
        ask(all_[i]);
    }
    std::array<epoll_event, 256> events;
    while (under_way > 0) {
        const int count =
            ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patience_ms);
        if (count == 0) {
            throw std::runtime_error("the server does not answer");
        }
        if (count < 0 && errno != EINTR) {
            checked(count, "epoll_wait");
        }
        for (int i = 0; i < count; ++i) {
            auto& on = *static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (!take_answer(on)) {
                continue;
            }
            const auto now = clock::now();
            into.add(now - on.asked);
            if (now < end) {
                ask(on);
            } else {
                --under_way;
            }
        }
    }
}

}  // namespace load
