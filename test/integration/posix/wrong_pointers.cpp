// SPDX-License-Identifier: BSL-1.0
// Pointers that the kernel refuses. Not run under Valgrind, which takes them for mistakes of ours.
#include "integration/posix/law.hpp"

#include <array>
#include <boost/test/unit_test.hpp>

using namespace coir::test;

namespace {

void say(int fd, const std::string& text) {
    must(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_wrong_pointers)

BOOST_AUTO_TEST_CASE(null_is_efault) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::unix_stream);
        const auto udp = connected_sockets(socket_kind::udp);
        const auto pipe = pipe_ends();
        const unique_fd unconnected(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        void* const nowhere = nullptr;
        say(pair.b.get(), "x");
        say(pipe.b.get(), "x");
        t.call("recv", [&] { return c.recv(pair.a.get(), nowhere, 8, 0); });
        t.call("read", [&] { return c.read(pair.a.get(), nowhere, 8); });
        t.call("read a pipe", [&] { return c.read(pipe.a.get(), nowhere, 8); });
        t.call("recvmsg", [&] { return c.recvmsg(pair.a.get(), nullptr, 0); });
        t.call("send", [&] { return c.send(udp.a.get(), nowhere, 8, 0); });
        t.call("sendmsg", [&] { return c.sendmsg(udp.a.get(), nullptr, 0); });
        t.call("write to a pipe", [&] { return c.write(pipe.b.get(), nowhere, 8); });
        t.call("connect", [&] {
            return c.connect(unconnected.get(), static_cast<sockaddr*>(nowhere),
                             sizeof(sockaddr_in));
        });
        t.call("poll", [&] { return c.poll(static_cast<pollfd*>(nowhere), 1, 10); });
        t.call("fcntl", [&] { return c.fcntl(pipe.a.get(), F_OFD_SETLKW, nullptr); });
        t.call("nanosleep", [&] { return c.nanosleep(static_cast<timespec*>(nowhere), nullptr); });
    });
}

BOOST_AUTO_TEST_CASE(more_parts_than_there_may_be_are_einval) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::unix_stream);
        const auto pipe = pipe_ends();
        char letter = 0;
        const iovec part{&letter, 1};
        t.call("readv", [&] { return c.readv(pair.a.get(), &part, 2000); });
        t.call("readv a pipe", [&] { return c.readv(pipe.a.get(), &part, 2000); });
        t.call("writev", [&] { return c.writev(pair.a.get(), &part, 2000); });
        t.call("writev to a pipe", [&] { return c.writev(pipe.b.get(), &part, 2000); });
    });
}

BOOST_AUTO_TEST_CASE(messages_before_a_wrong_one_are_sent) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::udp);
        char letter = 'x';
        iovec part{&letter, 1};
        std::array<mmsghdr, 3> messages{};
        for (mmsghdr& one : messages) {
            one.msg_hdr.msg_iov = &part;
            one.msg_hdr.msg_iovlen = 1;
        }
        messages[2].msg_hdr.msg_iov = nullptr;
        t.call("sendmmsg", [&] { return c.sendmmsg(pair.a.get(), messages.data(), 3, 0); });
        t.call("sendmmsg", [&] { return c.sendmmsg(pair.a.get(), &messages[2], 1, 0); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
