// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <netinet/in.h>
#include <sys/un.h>

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

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_send)

BOOST_DATA_TEST_CASE(a_blocking_send_is_complete, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const std::string text = pattern(large);
        send_and_drain(kind, t, text,
                       [&](int fd) { return c.send(fd, text.data(), text.size(), 0); });
        send_and_drain(kind, t, text,
                       [&](int fd) { return c.sendto(fd, text.data(), text.size(), 0, nullptr, 0); });
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
            do {
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
        // TCP may find some more room after a moment, of which there is an end.
        ssize_t more = 1;
        while (more > 0) {
            more = c.send(pair.a.get(), text.data(), text.size(), 0);
        }
        t.call_of_at_least(milliseconds(40), "send to the full",
                           [&] { return c.send(pair.a.get(), "x", 1, 0); });
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

BOOST_AUTO_TEST_CASE(no_send_raises_sigpipe) {
    coir::test::check_law([](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(socket_kind::unix_stream);
        pair.b.reset();
        const int flags = &c == &libc_calls ? MSG_NOSIGNAL : 0;
        t.call("send", [&] { return c.send(pair.a.get(), "x", 1, flags); });
        if (&c == &coir_calls) {
            BOOST_TEST(c.write(pair.a.get(), "x", 1) == -1);
            BOOST_TEST(errno == EPIPE);
        }
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
        t.call("send", [&] { return c.send(pair.a.get(), "x", 1, MSG_NOSIGNAL); });
        t.call("send", [&] { return c.send(pair.a.get(), "x", 1, MSG_NOSIGNAL); });
    });
}

BOOST_AUTO_TEST_CASE(a_datagram_waits_for_room_at_a_full_peer) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::unix_datagram);
        while (::send(pair.a.get(), "x", 1, MSG_DONTWAIT) == 1) {
        }
        t.call("full", [&] { return c.send(pair.a.get(), "y", 1, MSG_DONTWAIT); });
        const later peer([&] {
            char letter = 0;
            ::recv(pair.b.get(), &letter, 1, 0);
        });
        t.call("send", [&] { return c.send(pair.a.get(), "y", 1, 0); });
    });
}

// An unconnected datagram socket counts as writable, however full the one that it sends to.
BOOST_AUTO_TEST_CASE(an_unconnected_datagram_socket_waits_without_spinning) {
    check_law([](const posix_calls& c, transcript& t) {
        const unique_fd receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const unique_fd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};  // autobind gives an abstract name
        address.sun_family = AF_UNIX;
        ::bind(receiver.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t));
        socklen_t size = sizeof address;
        ::getsockname(receiver.get(), reinterpret_cast<sockaddr*>(&address), &size);
        const auto* const to = reinterpret_cast<const sockaddr*>(&address);
        while (::sendto(sender.get(), "x", 1, MSG_DONTWAIT, to, size) == 1) {
        }
        {
            const later peer([&] {
                char letter = 0;
                ::recv(receiver.get(), &letter, 1, 0);
            });
            t.call("sendto", [&] { return c.sendto(sender.get(), "y", 1, 0, to, size); });
        }
        set_timeout(sender.get(), SO_SNDTIMEO, milliseconds(50));
        timespec before{};
        timespec after{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        t.call_of_at_least(milliseconds(50), "sendto",
                           [&] { return c.sendto(sender.get(), "y", 1, 0, to, size); });
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        const long used = (after.tv_sec - before.tv_sec) * 1'000'000'000 + after.tv_nsec - before.tv_nsec;
        t.add(used < 25'000'000 ? "  resting" : "  spinning");
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_as_libc_sends_it) {
    check_law([](const posix_calls& c, transcript& t) {
        for (const socket_kind kind : all_socket_kinds) {
            const auto pair = connected_sockets(kind);
            t.call("send", [&] { return c.send(pair.a.get(), "", 0, 0); });
            t.call("write", [&] { return c.write(pair.a.get(), "", 0); });
            char letter = 0;
            t.call("arrived",
                   [&] { return ::recv(pair.b.get(), &letter, 1, MSG_DONTWAIT); });
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
        t.call("sendmsg of null", [&] { return c.sendmsg(udp.a.get(), nullptr, 0); });
        const char* const nowhere = nullptr;
        t.call("send from null", [&] { return c.send(udp.a.get(), nowhere, 8, 0); });
        t.call("writev -1 parts", [&] { return c.writev(udp.a.get(), nullptr, -1); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
