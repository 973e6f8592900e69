// SPDX-License-Identifier: BSL-1.0
#include "base/system_calls.hpp"
#include "integration/posix/law.hpp"
#include "support/system_calls.hpp"

#include <coir/run.hpp>

#include <netinet/in.h>
#include <sys/un.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

constexpr std::size_t large = 4 * 1024 * 1024;  // more than the buffers of a connection hold

// Reads to the end, slowly at first, so that the sender has to wait.
std::string drain(int fd) {
    std::this_thread::sleep_for(milliseconds(30));
    std::string all;
    std::vector<char> buffer(100'000);
    for (ssize_t got; (got = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
        all.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
}

// Takes all the datagrams that have come.
void empty(int fd) {
    char letter = 0;
    while (::recv(fd, &letter, 1, MSG_DONTWAIT) >= 0) {
    }
}

const char* verdict(const std::string& got, const std::string& expected) {
    return got == expected ? "  all of it" : "  something else";
}

// Sends with `send` and writes down what arrived.
void send_and_drain(socket_kind kind, transcript& t, const std::string& text,
                    const std::function<ssize_t(int)>& send) {
    auto pair = connected_sockets(kind);
    std::string received;
    {
        const later peer([&] { received = drain(pair.b.get()); }, milliseconds(0));
        t.call("send", [&] { return send(pair.a.get()); });
        pair.a.reset();
    }
    t.add(verdict(received, text));
}

// A datagram socket that takes no more, and one that sends to it by name.
struct full_receiver {
    full_receiver()
        : receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
          sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        address.sun_family = AF_UNIX;  // and no name: the kernel makes an abstract one
        ::bind(receiver.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t));
        ::getsockname(receiver.get(), reinterpret_cast<sockaddr*>(&address), &size);
        fill();
    }
    ssize_t send(const posix_calls& c, int flags) const {
        return c.sendto(sender.get(), "x", 1, flags, reinterpret_cast<const sockaddr*>(&address),
                        size);
    }
    void fill() const {
        while (send(libc_calls, MSG_DONTWAIT) == 1) {
        }
    }
    unique_fd receiver;
    unique_fd sender;
    sockaddr_un address{};
    socklen_t size = sizeof address;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_send)

BOOST_DATA_TEST_CASE(a_blocking_send_is_complete, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const std::string text = pattern(large);
        send_and_drain(kind, t, text,
                       [&](int fd) { return c.send(fd, text.data(), text.size(), 0); });
        send_and_drain(kind, t, text, [&](int fd) {
            return c.sendto(fd, text.data(), text.size(), 0, nullptr, 0);
        });
        send_and_drain(kind, t, text,
                       [&](int fd) { return c.write(fd, text.data(), text.size()); });
    });
}

BOOST_DATA_TEST_CASE(parts_are_sent_to_the_last, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        std::string text = pattern(large);
        std::vector<iovec> parts;
        for (std::size_t i = 0; i < 1024; ++i) {
            parts.push_back({text.data() + i * (large / 1024), large / 1024});
        }
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        send_and_drain(kind, t, text, [&](int fd) { return c.sendmsg(fd, &message, 0); });
        send_and_drain(kind, t, text, [&](int fd) { return c.writev(fd, parts.data(), 1024); });
    });
}

BOOST_DATA_TEST_CASE(a_nonblocking_send_takes_what_fits, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const std::string text = pattern(large);
        for (const bool by_flag : {true, false}) {
            const auto pair = connected_sockets(kind);
            set_nonblocking(pair.a.get(), !by_flag);
            const int flags = by_flag ? MSG_DONTWAIT : 0;
            ssize_t sent = c.send(pair.a.get(), text.data(), text.size(), flags);
            t.add(sent > 0 && sent < ssize_t(large) ? "a part" : "all or nothing");
            // TCP's acknowledgements make room for some more for as long as 40 ms (delayed ones).
            do {
                while (c.send(pair.a.get(), text.data(), text.size(), flags) > 0) {
                }
                std::this_thread::sleep_for(milliseconds(100));
                sent = c.send(pair.a.get(), text.data(), text.size(), flags);
            } while (sent > 0);
            t.call("send to the full", [&] { return c.send(pair.a.get(), "x", 1, flags); });
        }
    });
}

BOOST_DATA_TEST_CASE(the_sockets_own_timeout_ends_it_with_a_part, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        const std::string text = pattern(large);
        set_timeout(pair.a.get(), SO_SNDTIMEO, milliseconds(40));
        const ssize_t sent = c.send(pair.a.get(), text.data(), text.size(), 0);
        t.add(sent > 0 && sent < ssize_t(large) ? "a part" : "all or nothing");
        // There may be some more room after a moment, of which there is an end.
        ssize_t more = 1;
        auto begun = std::chrono::steady_clock::now();
        while (more > 0) {
            begun = std::chrono::steady_clock::now();
            more = c.send(pair.a.get(), "x", 1, 0);
        }
        t.add(errno == EAGAIN ? "EAGAIN" : "another error");
        t.ends(begun + milliseconds(40), "send to the full");
    });
}

BOOST_DATA_TEST_CASE(the_peers_end_is_an_error_and_no_signal, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(kind);
        pair.b.reset();
        if (kind == socket_kind::tcp) {  // the first one finds out
            t.call("send", [&] { return c.send(pair.a.get(), "x", 1, MSG_NOSIGNAL); });
            std::this_thread::sleep_for(milliseconds(30));
        }
        t.call("send", [&] { return c.send(pair.a.get(), "x", 1, MSG_NOSIGNAL); });
        t.call("send", [&] { return c.send(pair.a.get(), "x", 1, MSG_NOSIGNAL); });
    });
}

// The peer reads a part and then resets: how far a send came is told first, then the error.
BOOST_AUTO_TEST_CASE(an_error_after_a_part_is_left_for_the_next_call) {
    check_law([](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(socket_kind::tcp);
        const std::string text = pattern(large);
        {
            const later peer([&] { pair.b.reset(); });  // with data unread, that is a reset
            const ssize_t sent = c.send(pair.a.get(), text.data(), text.size(), MSG_NOSIGNAL);
            t.add(sent > 0 && sent < ssize_t(large) ? "a part" : "all or nothing");
        }
        for (int i = 0; i < 2; ++i) {
            t.call("send", [&] {
                const ssize_t result = c.send(pair.a.get(), "x", 1, MSG_NOSIGNAL);
                if (result < 0 && errno == ECONNRESET) {
                    errno = EPIPE;  // it is this one if the peer's end has come before the reset
                }
                return result;
            });
        }
    });
}

BOOST_AUTO_TEST_CASE(a_datagram_waits_for_room_at_a_full_peer) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::unix_datagram);
        while (::send(pair.a.get(), "x", 1, MSG_DONTWAIT) == 1) {
        }
        t.call("full", [&] { return c.send(pair.a.get(), "y", 1, MSG_DONTWAIT); });
        const later peer([&] { empty(pair.b.get()); });
        t.call("send", [&] { return c.send(pair.a.get(), "y", 1, 0); });
    });
}

// An unconnected datagram socket counts as writable, however full the one that it sends to.
BOOST_AUTO_TEST_CASE(an_unconnected_datagram_socket_waits_for_room_at_a_full_peer) {
    check_law([](const posix_calls& c, transcript& t) {
        const full_receiver full;
        {
            const later peer([&] { empty(full.receiver.get()); });
            t.call("sendto", [&] { return full.send(c, 0); });
        }
        full.fill();
        set_timeout(full.sender.get(), SO_SNDTIMEO, milliseconds(50));
        t.call_of_at_least(milliseconds(50), "sendto", [&] { return full.send(c, 0); });
    });
}

BOOST_AUTO_TEST_CASE(a_socket_that_is_wrongly_called_writable_is_not_tried_all_the_time) {
    const full_receiver full;
    set_timeout(full.sender.get(), SO_SNDTIMEO, milliseconds(50));
    constexpr int far_too_many = 100;
    int tries = 0;
    using sendto_call = replace_system_call<&coir::detail::system_calls::sendto>;
    const sendto_call counting([&](int fd, const void* bytes, std::size_t size, int flags,
                                   const sockaddr* to, socklen_t to_size) {
        if (++tries == far_too_many) {  // without a pause no time would ever pass
            errno = ENOBUFS;
            return ssize_t(-1);
        }
        return sendto_call::original(fd, bytes, size, flags, to, to_size);
    });
    coir::run_options options;
    options.clock = coir::clock_kind::virtual_time;  // a slow machine makes no wait long
    coir::run(options, [&] {
        BOOST_TEST(full.send(coir_calls, 0) == -1);
        BOOST_TEST(errno == EAGAIN);
    });
    BOOST_TEST(tries < 15);
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_as_libc_sends_it) {
    check_law([](const posix_calls& c, transcript& t) {
        for (const socket_kind kind : all_socket_kinds) {
            const auto pair = connected_sockets(kind);
            t.call("send", [&] { return c.send(pair.a.get(), "", 0, 0); });
            t.call("write", [&] { return c.write(pair.a.get(), "", 0); });
            char letter = 0;
            t.call("arrived", [&] { return ::recv(pair.b.get(), &letter, 1, MSG_DONTWAIT); });
        }
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        const auto udp = connected_sockets(socket_kind::udp);
        const unique_fd unconnected(::socket(AF_INET, SOCK_DGRAM, 0));
        const std::string too_long(70'000, 'x');
        t.call("send to -1", [&] { return c.send(-1, "x", 1, 0); });
        t.call("send to a pipe", [&] { return c.send(pipe.b.get(), "x", 1, 0); });
        t.call("send unconnected", [&] { return c.send(unconnected.get(), "x", 1, 0); });
        t.call("send too long",
               [&] { return c.send(udp.a.get(), too_long.data(), too_long.size(), 0); });
        t.call("writev -1 parts", [&] { return c.writev(udp.a.get(), nullptr, -1); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
