// SPDX-License-Identifier: BSL-1.0
// Calls that the backend makes for fibers, on real sockets.
#include "reactor/completions.hpp"

#include "base/unique_fd.hpp"
#include "core/scheduler.hpp"
#include "reactor/poller.hpp"
#include "reactor/reactor.hpp"
#include "reactor/wait_io.hpp"
#include "support/descriptors.hpp"
#include "support/gate.hpp"
#include "support/io_uring.hpp"
#include "support/system_calls.hpp"
#include "support/watched_thread.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using coir::deadline;
using coir::fiber;
using coir::wait_status;
using coir::detail::completion_port;
using coir::detail::io_operation;
using coir::detail::io_perform;
using coir::detail::io_result;
using coir::detail::make_uring_poller;
using coir::detail::poller_event;
using coir::detail::reactor;
using coir::detail::unique_fd;
using coir::test::put;
using coir::test::socket_pair;
using coir::test::watched_thread;
using namespace std::chrono_literals;

namespace {

using call = io_operation::call;

// The main thread, as a carrier on io_uring.
class carrier {
public:
    template <class F>
    void run(F body) {
        const reactor::on_this_thread current_reactor(events);
        coir::detail::scheduler fibers({}, events);
        fibers.run_main(body);
        BOOST_TEST(events.waits() == 0U);
    }
    reactor events{make_uring_poller()};
};

// Reads into memory that is looked at when the call is over.
struct receiver {
    explicit receiver(const unique_fd& from, int flags = 0)
        : operation{call::receive, from.get(), bytes.data(), bytes.size(), flags} {}

    io_result run() { return io_perform(operation); }
    std::string text() const { return {bytes.data(), static_cast<std::size_t>(operation.result)}; }
    bool untouched() const { return bytes == std::array<char, 64>{}; }

    std::array<char, 64> bytes{};
    io_operation operation;
};

std::string take_text(const unique_fd& from) {
    std::array<char, 64> bytes{};
    const ssize_t got = ::recv(from.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    return got > 0 ? std::string(bytes.data(), static_cast<std::size_t>(got)) : "";
}

bool ended(const unique_fd& socket) {
    char byte = 0;
    return ::recv(socket.get(), &byte, 1, MSG_DONTWAIT) == 0;
}

void fill(const unique_fd& to) {
    const std::vector<char> much(1 << 16);
    while (::send(to.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(completions, *boost::unit_test::precondition(coir::test::has_io_uring))

BOOST_AUTO_TEST_CASE(a_receive_is_over_when_something_has_come) {
    carrier here;
    here.run([] {
        const socket_pair pair;
        receiver r(pair.near);
        fiber reader([&] { BOOST_TEST(r.run().ready()); });
        coir::this_fiber::yield();
        BOOST_TEST(!r.operation.over);
        put(pair.far);
        reader.join();
        BOOST_TEST(r.text() == "x");
        BOOST_TEST(!r.operation.more_to_read);
    });
}

BOOST_AUTO_TEST_CASE(an_end_of_stream_and_an_error_are_results) {
    carrier here;
    here.run([] {
        socket_pair pair;
        receiver r(pair.near);
        fiber reader([&] { BOOST_TEST(r.run().ready()); });
        coir::this_fiber::yield();
        pair.far.reset();
        reader.join();
        BOOST_TEST(r.operation.result == 0);
        char byte = 0;
        io_operation send{call::send, pair.near.get(), &byte, 1, MSG_NOSIGNAL};
        BOOST_TEST(io_perform(send).ready());
        BOOST_TEST(send.result == -EPIPE);
    });
}

BOOST_AUTO_TEST_CASE(a_send_waits_for_room) {
    carrier here;
    here.run([] {
        const socket_pair pair;
        fill(pair.near);
        std::array<char, 3> bytes{'e', 'n', 'd'};
        io_operation send{call::send, pair.near.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL};
        fiber sender([&] { BOOST_TEST(io_perform(send).ready()); });
        coir::this_fiber::sleep_for(1ms);
        BOOST_TEST(!send.over);
        std::vector<char> much(1 << 20);
        while (::recv(pair.far.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
        }
        sender.join();
        BOOST_TEST(send.result == 3);
    });
}

BOOST_AUTO_TEST_CASE(a_connect_and_an_accept_meet) {
    carrier here;
    here.run([] {
        const unique_fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const name = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        BOOST_TEST_REQUIRE(::bind(listener.get(), name, size) == 0);
        BOOST_TEST_REQUIRE(::listen(listener.get(), 1) == 0);
        BOOST_TEST_REQUIRE(::getsockname(listener.get(), name, &size) == 0);
        sockaddr_in peer{};
        socklen_t peer_size = sizeof peer;
        io_operation accept{call::accept, listener.get(), &peer, 0, SOCK_CLOEXEC, &peer_size};
        fiber acceptor([&] { BOOST_TEST(io_perform(accept).ready()); });
        coir::this_fiber::yield();
        const unique_fd client(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        io_operation connect{call::connect, client.get(), &address, sizeof address};
        BOOST_TEST(io_perform(connect).ready());
        BOOST_TEST(connect.result == 0);
        acceptor.join();
        const unique_fd accepted(accept.result);
        BOOST_TEST(accepted.get() >= 0);
        BOOST_TEST(peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
        put(client);
        receiver r(accepted);
        BOOST_TEST(r.run().ready());
        BOOST_TEST(r.text() == "x");
    });
}

// --- An end that was asked for -----------------------------------------------------------------

// Goal: when a call that was cancelled returns, the buffer is the caller's again, and what comes
// later is there for the next call.
BOOST_AUTO_TEST_CASE(a_cancelled_receive_takes_nothing_that_comes_later) {
    carrier here;
    here.run([&] {
        const socket_pair pair;
        receiver r(pair.near);
        io_result result{};
        fiber reader([&] {
            result = r.run();
            put(pair.far);
        });
        coir::this_fiber::yield();
        here.events.submit();
        reader.cancel();
        reader.join();
        BOOST_TEST((result.status == wait_status::cancelled));
        here.events.submit();
        BOOST_TEST(r.untouched());
        BOOST_TEST(take_text(pair.near) == "x");
    });
}

BOOST_AUTO_TEST_CASE(
    a_receive_that_the_kernel_has_not_been_told_of_is_not_made_when_it_is_cancelled) {
    carrier here;
    here.run([&] {
        const socket_pair pair;
        put(pair.far);
        receiver r(pair.near);
        io_result result{};
        fiber reader([&] { result = r.run(); });
        coir::this_fiber::yield();
        reader.cancel();
        reader.join();
        BOOST_TEST((result.status == wait_status::cancelled));
        here.events.submit();
        BOOST_TEST(r.untouched());
        BOOST_TEST(take_text(pair.near) == "x");
    });
}

BOOST_AUTO_TEST_CASE(a_send_that_need_not_wait_is_made_though_it_is_cancelled) {
    carrier here;
    here.run([&] {
        const socket_pair pair;
        char byte = 's';
        io_operation send{call::send, pair.near.get(), &byte, 1, MSG_NOSIGNAL};
        io_result result{};
        fiber sender([&] { result = io_perform(send); });
        coir::this_fiber::yield();
        sender.cancel();
        sender.join();
        BOOST_TEST(result.ready());
        BOOST_TEST(send.result == 1);
        BOOST_TEST(take_text(pair.far) == "s");
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_send_that_waits_for_room_sends_nothing_later) {
    carrier here;
    here.run([&] {
        const socket_pair pair;
        fill(pair.near);
        char byte = 's';
        io_operation send{call::send, pair.near.get(), &byte, 1, MSG_NOSIGNAL};
        io_result result{};
        fiber sender([&] { result = io_perform(send); });
        coir::this_fiber::yield();
        sender.cancel();
        sender.join();
        BOOST_TEST((result.status == wait_status::cancelled));
        std::vector<char> much(1 << 20);
        while (::recv(pair.far.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
        }
        here.events.submit();
        BOOST_TEST(take_text(pair.far).empty());
    });
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_a_receive_and_no_sooner) {
    carrier here;
    here.run([] {
        const socket_pair pair;
        receiver r(pair.near);
        const auto until = std::chrono::steady_clock::now() + 2ms;
        const bool in_time = coir::try_for(2ms, [&] {
            BOOST_TEST((r.run().status == wait_status::cancelled));
            coir::this_fiber::check_cancelled();
        });
        BOOST_TEST(!in_time);
        BOOST_TEST((std::chrono::steady_clock::now() >= until));
        put(pair.far);
        BOOST_TEST(take_text(pair.near) == "x");
        BOOST_TEST(r.untouched());
    });
}

// The bytes are out of the socket already: not to tell of them would be to lose them.
BOOST_AUTO_TEST_CASE(a_receive_that_was_over_when_it_was_cancelled_has_what_it_got) {
    carrier here;
    here.run([&] {
        const socket_pair pair;
        receiver r(pair.near);
        io_result result{};
        fiber reader([&] { result = r.run(); });
        coir::this_fiber::yield();
        here.events.submit();
        put(pair.far);
        here.events.submit();  // it is over, and nobody has been told
        BOOST_TEST(take_text(pair.near).empty());
        reader.cancel();
        reader.join();
        BOOST_TEST(result.ready());
        BOOST_TEST(r.text() == "x");
    });
}

// Unlike bytes it stays where it is; and whoever was cancelled is to learn of that first.
BOOST_AUTO_TEST_CASE(a_receive_that_had_found_the_end_when_it_was_cancelled_is_cancelled) {
    carrier here;
    here.run([&] {
        socket_pair pair;
        receiver r(pair.near);
        io_result result{};
        fiber reader([&] { result = r.run(); });
        coir::this_fiber::yield();
        here.events.submit();
        pair.far.reset();
        here.events.submit();
        reader.cancel();
        reader.join();
        BOOST_TEST((result.status == wait_status::cancelled));
        BOOST_TEST(ended(pair.near));
    });
}

BOOST_AUTO_TEST_CASE(
    a_descriptor_closed_under_a_receive_ends_it_and_the_peer_sees_the_end_at_once) {
    carrier here;
    here.run([&] {
        for (const bool told : {true, false}) {
            socket_pair pair;
            receiver r(pair.near);
            io_result result{};
            fiber reader([&] { result = r.run(); });
            coir::this_fiber::yield();
            if (told) {
                here.events.submit();
            }
            coir::detail::io_close(pair.near.release());
            BOOST_TEST(ended(pair.far));
            reader.join();
            BOOST_TEST(result.error == EBADF);
            BOOST_TEST(r.untouched());
        }
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_closed_by_another_thread_ends_a_receive) {
    const coir::test::close_unseen_by_sanitizers on_close;
    carrier here;
    here.run([] {
        const watched_thread carrier_thread;
        socket_pair pair;
        receiver r(pair.near);
        std::thread closer([&, number = pair.near.release()] {
            carrier_thread.await_asleep();
            coir::detail::io_close(number);
        });
        BOOST_TEST(r.run().error == EBADF);
        closer.join();
        BOOST_TEST(ended(pair.far));
    });
}

// --- One at a time -----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_backend_makes_one_call_for_each_direction_of_a_descriptor) {
    carrier here;
    here.run([] {
        const socket_pair pair;
        receiver first(pair.near);
        receiver second(pair.near);
        char byte = 0;
        const io_operation send{call::send, pair.near.get(), &byte, 1};
        BOOST_TEST(coir::detail::io_completes(second.operation));
        fiber reader([&] { first.run(); });
        coir::this_fiber::yield();
        BOOST_TEST(!coir::detail::io_completes(second.operation));
        BOOST_TEST(coir::detail::io_completes(send));
        put(pair.far);
        reader.join();
        BOOST_TEST(coir::detail::io_completes(second.operation));
    });
}

BOOST_AUTO_TEST_CASE(what_is_left_to_the_backend_comes_before_a_later_system_call) {
    carrier here;
    here.run([] {
        const socket_pair pair;
        char byte = 's';
        io_operation send{call::send, pair.near.get(), &byte, 1, MSG_NOSIGNAL};
        fiber sender([&] { io_perform(send); });
        coir::this_fiber::yield();
        coir::detail::io_submit(pair.near.get());
        ::shutdown(pair.near.get(), SHUT_WR);
        sender.join();
        BOOST_TEST(send.result == 1);
        BOOST_TEST(take_text(pair.far) == "s");
    });
}

// Goal: no end is lost where there are more than the ring has room for. Method: 6,000 looks at the
// same byte, each of which is over as soon as the kernel hears of it.
BOOST_AUTO_TEST_CASE(more_ends_than_the_ring_has_room_for_are_all_told_of) {
    const auto p = make_uring_poller();
    completion_port& port = *p->completions();
    const socket_pair pair;
    put(pair.far);
    char byte = 0;
    std::vector<io_operation> looks(
        6000, io_operation{call::receive, pair.near.get(), &byte, 1, MSG_PEEK});
    for (io_operation& look : looks) {
        BOOST_TEST_REQUIRE(port.start(look));
    }
    std::array<poller_event, 4> events;
    const auto before = port.count_of_ends();
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(p->wait(deadline::immediately(), events.data(), events.size()) == 0U);
    }
    BOOST_TEST(port.count_of_ends() - before == looks.size());
    for (const io_operation& look : looks) {
        BOOST_TEST_REQUIRE(look.over);
        BOOST_TEST_REQUIRE(look.result == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
