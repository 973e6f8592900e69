// SPDX-License-Identifier: BSL-1.0
// Where coir::posix differs from libc on purpose. coir::hook does not: test/hook/sigpipe.cpp.
#include "integration/posix/law.hpp"

#include <boost/test/unit_test.hpp>

using namespace coir::test;

BOOST_AUTO_TEST_CASE(no_send_raises_sigpipe) {
    coir::test::check_law([](const posix_calls& c, transcript& t) {
        auto pair = connected_sockets(socket_kind::unix_stream);
        pair.b.reset();
        const int flags = &c == &libc_calls ? MSG_NOSIGNAL : 0;
        t.call("send", [&] { return c.send(pair.a.get(), "x", 1, flags); });
        if (&c == &coir_calls) {
            must(c.write(pair.a.get(), "x", 1) == -1 && errno == EPIPE);
        }
    });
}
