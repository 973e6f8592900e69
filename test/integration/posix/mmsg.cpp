// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <array>
#include <boost/test/unit_test.hpp>

using namespace coir::test;

namespace {

struct messages {
    messages() {
        for (std::size_t i = 0; i < headers.size(); ++i) {
            parts[i] = {buffers[i].data(), buffers[i].size()};
            headers[i].msg_hdr.msg_iov = &parts[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
    }
    void write_down(transcript& t, int count) const {
        for (int i = 0; i < count; ++i) {
            const auto n = static_cast<std::size_t>(i);
            t.add("  " + std::string(buffers[n].data(), headers[n].msg_len));
        }
    }
    std::array<std::array<char, 16>, 4> buffers{};
    std::array<iovec, 4> parts{};
    std::array<mmsghdr, 4> headers{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_mmsg)

BOOST_AUTO_TEST_CASE(several_messages_are_received) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::udp);
        messages in;
        const auto receive = [&](unsigned int count, int flags) {
            const int got = t.call("recvmmsg", [&] {
                return c.recvmmsg(pair.a.get(), in.headers.data(), count, flags, nullptr);
            });
            in.write_down(t, got);
        };
        receive(4, MSG_DONTWAIT);
        ::send(pair.b.get(), "one", 3, 0);
        ::send(pair.b.get(), "two", 3, 0);
        receive(4, MSG_DONTWAIT);
        const later both([&] { ::send(pair.b.get(), "three", 5, 0); },
                         [&] { ::send(pair.b.get(), "four", 4, 0); });
        receive(2, 0);
        const later another([&] { ::send(pair.b.get(), "five", 4, 0); });
        receive(4, MSG_WAITFORONE);
    });
}

BOOST_AUTO_TEST_CASE(several_messages_are_sent) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(socket_kind::udp);
        messages out;
        t.call("sendmmsg", [&] { return c.sendmmsg(pair.a.get(), out.headers.data(), 4, 0); });
        t.add("  " + std::to_string(out.headers[3].msg_len));
        t.call("sendmmsg of none",
               [&] { return c.sendmmsg(pair.a.get(), out.headers.data(), 0, 0); });
        t.call("sendmmsg to -1", [&] { return c.sendmmsg(-1, out.headers.data(), 4, 0); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
