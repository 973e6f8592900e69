// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace coir::test;

namespace {

volatile std::sig_atomic_t raised = 0;

// Counts the signal, which would end the program.
class counted_sigpipe {
public:
    counted_sigpipe() : before_(::signal(SIGPIPE, [](int) { raised = raised + 1; })) { raised = 0; }
    counted_sigpipe(const counted_sigpipe&) = delete;
    counted_sigpipe& operator=(const counted_sigpipe&) = delete;
    ~counted_sigpipe() { ::signal(SIGPIPE, before_); }

private:
    void (*before_)(int);
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_broken_connection_raises_sigpipe_as_in_libc) {
    check_law([](const posix_calls& c, transcript& t) {
        const counted_sigpipe counted;
        auto pair = connected_sockets(socket_kind::unix_stream);
        pair.b.reset();
        t.call("send", [&] { return c.send(pair.a.get(), "x", 1, 0); });
        t.call("quiet send", [&] { return c.send(pair.a.get(), "x", 1, MSG_NOSIGNAL); });
        t.call("write", [&] { return c.write(pair.a.get(), "x", 1); });
        auto pipe = pipe_ends();
        pipe.a.reset();
        t.call("write to a pipe", [&] { return c.write(pipe.b.get(), "x", 1); });
        t.add(std::to_string(raised) + " signals");
    });
}
