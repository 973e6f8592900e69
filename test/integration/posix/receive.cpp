// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

void say(int fd, const std::string& text) {
    must(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

// Makes the next thing that the peer hears a reset.
void reset(unique_fd& fd) {
    const linger at_once{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd.reset();
}

void receive(const posix_calls& c, transcript& t, int fd, std::size_t size, int flags = 0) {
    std::string buffer(size, '\0');
    const ssize_t got = t.call("recv", [&] { return c.recv(fd, buffer.data(), size, flags); });
    if (got > 0) {
        t.add("  " + buffer.substr(0, static_cast<std::size_t>(got)));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_receive)

BOOST_DATA_TEST_CASE(what_is_there_is_received_at_once, data::make(all_socket_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        say(pair.b.get(), "hello world");
        receive(c, t, pair.a.get(), 5, MSG_PEEK);
        receive(c, t, pair.a.get(), 5);
        receive(c, t, pair.a.get(), 100, MSG_DONTWAIT);
        receive(c, t, pair.a.get(), 100, MSG_DONTWAIT);
    });
}

BOOST_DATA_TEST_CASE(what_is_not_there_is_awaited, data::make(all_socket_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        {
            const later peer([&] { say(pair.b.get(), "hello"); });
            receive(c, t, pair.a.get(), 100);
        }
        {
            const later peer([&] { say(pair.b.get(), "a look"); });
            receive(c, t, pair.a.get(), 100, MSG_PEEK);
        }
        receive(c, t, pair.a.get(), 100);
    });
}

BOOST_DATA_TEST_CASE(a_nonblocking_socket_is_never_awaited, data::make(all_socket_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        set_nonblocking(pair.a.get());
        receive(c, t, pair.a.get(), 100);
        receive(c, t, pair.a.get(), 100, MSG_WAITALL);
        say(pair.b.get(), "abc");
        receive(c, t, pair.a.get(), 100, MSG_WAITALL);
    });
}

BOOST_DATA_TEST_CASE(the_sockets_own_timeout_ends_it, data::make(all_socket_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        set_timeout(pair.a.get(), SO_RCVTIMEO, milliseconds(40));
        char buffer[10];
        t.call_of_at_least(milliseconds(40), "recv",
                           [&] { return c.recv(pair.a.get(), buffer, sizeof buffer, 0); });
        t.call_of_at_least(milliseconds(40), "read",
                           [&] { return c.read(pair.a.get(), buffer, sizeof buffer); });
    });
}

BOOST_DATA_TEST_CASE(wait_all_waits_for_all, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        say(pair.b.get(), "one ");
        const later rest([&] { say(pair.b.get(), "two "); },
                         [&] { say(pair.b.get(), "three and more"); });
        receive(c, t, pair.a.get(), 13, MSG_WAITALL);
        receive(c, t, pair.a.get(), 100);
    });
}

BOOST_DATA_TEST_CASE(wait_all_gives_what_came_before_the_end, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(kind);
        say(pair.b.get(), "one ");
        const later peer([&] { ::shutdown(pair.b.get(), SHUT_WR); });
        receive(c, t, pair.a.get(), 100, MSG_WAITALL);
        receive(c, t, pair.a.get(), 100, MSG_WAITALL);
    });
}

BOOST_DATA_TEST_CASE(wait_all_gives_what_came_in_time, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        set_timeout(pair.a.get(), SO_RCVTIMEO, milliseconds(50));
        say(pair.b.get(), "one ");
        receive(c, t, pair.a.get(), 100, MSG_WAITALL);
    });
}

// The error that comes after a part must still be there for the next call.
BOOST_AUTO_TEST_CASE(wait_all_leaves_a_reset_for_the_next_call) {
    check_law([](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(socket_kind::tcp);
        say(pair.b.get(), "one ");
        const later peer([&] { reset(pair.b); });
        receive(c, t, pair.a.get(), 100, MSG_WAITALL);
        receive(c, t, pair.a.get(), 100);
        receive(c, t, pair.a.get(), 100);
    });
}

BOOST_DATA_TEST_CASE(a_look_at_all_waits_for_all, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        say(pair.b.get(), "one ");
        {
            const later second([&] { say(pair.b.get(), "two"); });
            receive(c, t, pair.a.get(), 7, MSG_PEEK | MSG_WAITALL);
        }
        const later end([&] { ::shutdown(pair.b.get(), SHUT_WR); });
        receive(c, t, pair.a.get(), 7, MSG_WAITALL);
        receive(c, t, pair.a.get(), 7, MSG_PEEK | MSG_WAITALL);
    });
}

BOOST_AUTO_TEST_CASE(a_look_at_all_ends_with_the_stream) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::tcp);
        say(pair.b.get(), "one ");
        const later end([&] { ::shutdown(pair.b.get(), SHUT_WR); });
        receive(c, t, pair.a.get(), 7, MSG_PEEK | MSG_WAITALL);
    });
}

BOOST_DATA_TEST_CASE(the_end_of_a_stream_is_zero_again_and_again, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(kind);
        say(pair.b.get(), "last words");
        const later peer([&] { pair.b.reset(); });
        receive(c, t, pair.a.get(), 100);
        receive(c, t, pair.a.get(), 100);
        receive(c, t, pair.a.get(), 100);
    });
}

BOOST_AUTO_TEST_CASE(a_reset_ends_a_wait) {
    check_law([](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(socket_kind::tcp);
        const later peer([&] { reset(pair.b); });
        receive(c, t, pair.a.get(), 100);
        receive(c, t, pair.a.get(), 100);
    });
}

BOOST_DATA_TEST_CASE(shutting_our_own_side_ends_a_wait, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        const later other([&] { ::shutdown(pair.a.get(), SHUT_RD); });
        receive(c, t, pair.a.get(), 100);
    });
}

BOOST_DATA_TEST_CASE(nothing_asked_for_still_waits_as_recv_does, data::make(all_socket_kinds),
                     kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        char none = 0;
        t.call("read nothing", [&] { return c.read(pair.a.get(), &none, 0); });
        const later peer([&] { say(pair.b.get(), "x"); });
        t.call("recv nothing", [&] { return c.recv(pair.a.get(), &none, 0, 0); });
    });
}

BOOST_DATA_TEST_CASE(a_datagram_is_cut_to_the_buffer,
                     data::make({socket_kind::udp, socket_kind::unix_datagram}), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        say(pair.b.get(), "a long message");
        say(pair.b.get(), "");
        say(pair.b.get(), "next");
        receive(c, t, pair.a.get(), 6, MSG_TRUNC);
        receive(c, t, pair.a.get(), 6);
        receive(c, t, pair.a.get(), 6, MSG_WAITALL);
    });
}

BOOST_AUTO_TEST_CASE(recvfrom_tells_the_sender) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::udp);
        const later peer([&] { say(pair.b.get(), "hello"); });
        char buffer[20];
        sockaddr_in from{};
        socklen_t size = sizeof from;
        t.call("recvfrom", [&] {
            return c.recvfrom(pair.a.get(), buffer, sizeof buffer, 0,
                              reinterpret_cast<sockaddr*>(&from), &size);
        });
        sockaddr_in expected{};
        socklen_t expected_size = sizeof expected;
        ::getsockname(pair.b.get(), reinterpret_cast<sockaddr*>(&expected), &expected_size);
        t.add(size == expected_size && std::memcmp(&from, &expected, size) == 0
                  ? "  the sender"
                  : "  somebody else");
    });
}

// Scattered over more parts than one continuation takes, arriving in three pieces.
BOOST_DATA_TEST_CASE(recvmsg_fills_all_its_parts, data::make(stream_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        const std::string text = pattern(300);
        say(pair.b.get(), text.substr(0, 7));
        const later rest([&] { say(pair.b.get(), text.substr(7, 200)); },
                         [&] { say(pair.b.get(), text.substr(207)); });
        std::string buffer(300, '\0');
        std::vector<iovec> parts;
        for (std::size_t i = 0; i < 100; ++i) {
            parts.push_back({buffer.data() + 3 * i, 3});
        }
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        t.call("recvmsg", [&] { return c.recvmsg(pair.a.get(), &message, MSG_WAITALL); });
        t.add(buffer == text ? "  the text" : "  another text: " + buffer);
    });
}

BOOST_AUTO_TEST_CASE(descriptors_come_with_a_message_that_was_awaited) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::unix_stream);
        const auto passed = pipe_ends();
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        char letter = 'x';
        iovec part{&letter, 1};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        const int sent = passed.b.get();
        std::memcpy(CMSG_DATA(header), &sent, sizeof sent);
        say(pair.b.get(), "a");
        const later peer([&] { ::sendmsg(pair.b.get(), &message, 0); });

        alignas(cmsghdr) char arrived[CMSG_SPACE(sizeof(int))] = {};
        char buffer[8];
        iovec into{buffer, sizeof buffer};
        msghdr incoming{};
        incoming.msg_iov = &into;
        incoming.msg_iovlen = 1;
        incoming.msg_control = arrived;
        incoming.msg_controllen = sizeof arrived;
        t.call("recvmsg", [&] { return c.recvmsg(pair.a.get(), &incoming, MSG_WAITALL); });
        const cmsghdr* const first = CMSG_FIRSTHDR(&incoming);
        t.add(first != nullptr && first->cmsg_type == SCM_RIGHTS ? "  a descriptor" : "  none");
        if (first != nullptr) {
            int received = -1;
            std::memcpy(&received, CMSG_DATA(first), sizeof received);
            t.call("close", [&] { return c.close(received); });
        }
    });
}

BOOST_AUTO_TEST_CASE(the_error_queue_and_urgent_data_are_never_awaited) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::tcp);
        char buffer[8];
        msghdr message{};
        iovec part{buffer, sizeof buffer};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        t.call("error queue", [&] { return c.recvmsg(pair.a.get(), &message, MSG_ERRQUEUE); });
        t.call("urgent", [&] { return c.recv(pair.a.get(), buffer, 1, MSG_OOB); });
    });
}

// The reactor wakes a reader for urgent data that recv without MSG_OOB does not give.
BOOST_AUTO_TEST_CASE(urgent_data_does_not_end_a_wait_for_other_data) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::tcp);
        const char urgent = '!';
        ::send(pair.b.get(), &urgent, 1, MSG_OOB);
        const later peer([&] { say(pair.b.get(), "hello"); });
        receive(c, t, pair.a.get(), 100);
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::unix_stream);
        const auto pipe = pipe_ends();
        const unique_fd unconnected(::socket(AF_INET, SOCK_STREAM, 0));
        char buffer[8];
        t.call("recv of -1", [&] { return c.recv(-1, buffer, 8, 0); });
        t.call("recv of a pipe", [&] { return c.recv(pipe.a.get(), buffer, 8, 0); });
        t.call("recv unconnected", [&] { return c.recv(unconnected.get(), buffer, 8, 0); });
        say(pair.b.get(), "x");
        t.call("readv -1 parts", [&] { return c.readv(pair.a.get(), nullptr, -1); });
        t.call("readv no parts", [&] { return c.readv(pair.a.get(), nullptr, 0); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
