// SPDX-License-Identifier: BSL-1.0
// What requests cost, counted in the table of system calls.
#include "loopback.hpp"

#include "base/sanitizers.hpp"
#include "support/system_calls.hpp"

#include <coir/this_fiber.hpp>

#include <sys/epoll.h>
#include <cstdlib>
#include <string_view>
#include <thread>

using namespace coir::test;
using coir::detail::system_calls;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

namespace {

struct counts {
    int reads = 0;
    int failed_reads = 0;
    int writes = 0;
    int waits = 0;
    int controls = 0;
};

// Counts for as long as it lives.
class counting {
public:
    counts seen;

private:
    template <auto Member>
    using guard = replace_system_call<Member>;

    guard<&system_calls::recv> recv_{[this](int fd, void* data, std::size_t size, int flags) {
        ++seen.reads;
        const ssize_t n = guard<&system_calls::recv>::original(fd, data, size, flags);
        seen.failed_reads += n < 0 ? 1 : 0;
        return n;
    }};
    guard<&system_calls::send> send_{[this](int fd, const void* data, std::size_t size, int flags) {
        ++seen.writes;
        return guard<&system_calls::send>::original(fd, data, size, flags);
    }};
    guard<&system_calls::epoll_pwait2> pwait2_{[this](auto... arguments) {
        ++seen.waits;
        return guard<&system_calls::epoll_pwait2>::original(arguments...);
    }};
    guard<&system_calls::epoll_wait> wait_{[this](auto... arguments) {
        ++seen.waits;
        return guard<&system_calls::epoll_wait>::original(arguments...);
    }};
    guard<&system_calls::ppoll> ppoll_{[this](auto... arguments) {
        ++seen.waits;
        return guard<&system_calls::ppoll>::original(arguments...);
    }};
    guard<&system_calls::poll> poll_{[this](auto... arguments) {
        ++seen.waits;
        return guard<&system_calls::poll>::original(arguments...);
    }};
    guard<&system_calls::io_uring_enter> enter_{[this](auto... arguments) {
        ++seen.waits;
        return guard<&system_calls::io_uring_enter>::original(arguments...);
    }};
    guard<&system_calls::epoll_ctl> control_{[this](auto... arguments) {
        ++seen.controls;
        return guard<&system_calls::epoll_ctl>::original(arguments...);
    }};
};

std::string_view backend() {
    const char* const name = std::getenv("COIR_REACTOR");
    return name == nullptr || *name == '\0' ? "epoll" : name;
}

boost::test_tools::assertion_result on_epoll(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result result(backend() == "epoll");
    result.message() << "the poll backend promises less, and io_uring more";
    return result;
}

boost::test_tools::assertion_result on_io_uring(boost::unit_test::test_unit_id) {
#ifdef COIR_THREAD_SANITIZER
    boost::test_tools::assertion_result result(false);
    result.message() << "there are calls besides, for ThreadSanitizer to see";
#else
    boost::test_tools::assertion_result result(backend() == "io_uring");
    result.message() << "the other backends make no calls for fibers";
#endif
    return result;
}

void echo(tcp_socket s) {
    char buffer[512];
    while (const std::size_t n = s.read_some(buffer, sizeof(buffer))) {
        s.write_all(buffer, n);
    }
}

void request(tcp_socket& s) {
    char buffer[512];
    write(s, "ping");
    BOOST_TEST_REQUIRE(s.read_some(buffer, sizeof(buffer)) == 4U);
}

// A client that coir knows nothing of.
void ask_with_system_calls(int fd, int requests) {
    char buffer[512];
    for (int i = 0; i < requests && ::send(fd, "ping", 4, MSG_NOSIGNAL) == 4; ++i) {
        pollfd polled{fd, POLLIN, 0};
        if (::poll(&polled, 1, -1) != 1 || ::recv(fd, buffer, sizeof(buffer), 0) != 4) {
            break;
        }
    }
    ::shutdown(fd, SHUT_WR);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tcp_system_calls)

// Both ends are in this program: a round trip is two requests' worth of reads and writes.
BOOST_AUTO_TEST_CASE(a_warm_request_costs_a_read_a_write_and_a_wait,
                     *boost::unit_test::precondition(on_epoll)) {
    run_test([] {
        connected_pair pair;
        coir::fiber server(echo, std::move(pair.server));
        request(pair.client);
        request(pair.client);
        const counting count;
        constexpr int requests = 100;
        for (int i = 0; i < requests; ++i) {
            request(pair.client);
        }
        BOOST_TEST(count.seen.reads == 2 * requests);
        BOOST_TEST(count.seen.writes == 2 * requests);
        BOOST_TEST(count.seen.failed_reads == 0);
        BOOST_TEST(count.seen.controls == 0);
        // Each end waits once a round trip; a look at the poller now and then is on top.
        BOOST_TEST(count.seen.waits <= 2 * requests + requests / 10);
        server.cancel();
        server.join();
    });
}

BOOST_AUTO_TEST_CASE(many_connections_share_a_wait, *boost::unit_test::precondition(on_epoll)) {
    run_test([] {
        constexpr int connections = 50;
        std::vector<coir::fiber> servers;
        std::vector<tcp_socket> clients;
        for (int i = 0; i < connections; ++i) {
            connected_pair pair;
            clients.push_back(std::move(pair.client));
            servers.emplace_back(echo, std::move(pair.server));
        }
        const auto round = [&] {
            for (tcp_socket& s : clients) {
                write(s, "ping");
            }
            for (tcp_socket& s : clients) {
                char buffer[16];
                BOOST_TEST_REQUIRE(s.read_some(buffer, sizeof(buffer)) == 4U);
            }
        };
        round();
        round();
        const counting count;
        round();
        BOOST_TEST(count.seen.reads <= 2 * connections + 1);
        BOOST_TEST(count.seen.writes == 2 * connections);
        BOOST_TEST(count.seen.controls == 0);
        BOOST_TEST(count.seen.waits <= 10);
        for (auto& s : servers) {
            s.cancel();
        }
    });
}

// All that fifty clients and their servers have to say goes through the ring, in a few goes.
BOOST_AUTO_TEST_CASE(many_connections_share_their_calls,
                     *boost::unit_test::precondition(on_io_uring)) {
    run_test([] {
        constexpr int connections = 50;
        std::vector<coir::fiber> fibers;
        std::vector<connected_pair> pairs(connections);
        for (connected_pair& pair : pairs) {
            fibers.emplace_back(echo, std::move(pair.server));
            request(pair.client);
        }
        const counting count;
        std::vector<coir::fiber> clients;
        for (connected_pair& pair : pairs) {
            clients.emplace_back([&] { request(pair.client); });
        }
        for (auto& c : clients) {
            c.join();
        }
        BOOST_TEST_MESSAGE(count.seen.reads << " reads, " << count.seen.writes << " writes, "
                                            << count.seen.waits << " waits");
        BOOST_TEST(count.seen.reads + count.seen.writes + count.seen.waits <= 2 * connections / 5);
        for (auto& f : fibers) {
            f.cancel();
        }
    });
}

// One that is alone has nothing to share, and does not go the long way round.
BOOST_AUTO_TEST_CASE(a_request_alone_costs_a_write_and_a_wait,
                     *boost::unit_test::precondition(on_io_uring)) {
    run_test([] {
        connected_pair pair;
        constexpr int requests = 50;
        const counting count;
        std::thread peer(
            [fd = pair.client.native_handle()] { ask_with_system_calls(fd, requests); });
        coir::fiber server(echo, std::move(pair.server));
        server.join();
        peer.join();
        BOOST_TEST(count.seen.writes == requests);
        BOOST_TEST(count.seen.reads <= 1);  // the first one is tried
        BOOST_TEST(count.seen.waits <= requests + 5);
    });
}

// A connection that has hung up while its owner is busy elsewhere stays reported by poll(2) and
// wakes nobody. Goal: that does not become a loop. Method: count the waits while others work.
BOOST_AUTO_TEST_CASE(a_hang_up_wakes_once_and_does_not_spin) {
    run_test([] {
        connected_pair gone;
        connected_pair reset;
        connected_pair busy;
        int wakes = 0;
        auto reader = coir::async([&] {
            char byte = 0;
            BOOST_TEST(gone.server.read_some(&byte, 1) == 0U);
            ++wakes;
        });
        auto other = coir::async([&] {
            char byte = 0;
            BOOST_TEST((error_of([&] { reset.server.read_some(&byte, 1); }) ==
                        std::errc::connection_reset));
            ++wakes;
        });
        coir::this_fiber::yield();
        gone.server.shutdown_write();
        gone.client.close();
        reset_on_close(reset.client);
        reset.client.close();
        reader.get();
        other.get();
        BOOST_TEST(wakes == 2);
        // The server ends stay open, hung up. Somebody else waits for time, and for data.
        const counting count;
        coir::this_fiber::sleep_for(std::chrono::milliseconds(20));
        coir::fiber server(echo, std::move(busy.server));
        for (int i = 0; i < 5; ++i) {
            request(busy.client);
        }
        BOOST_TEST(count.seen.waits <= 20);
        server.cancel();
        server.join();
    });
}

BOOST_AUTO_TEST_CASE(interrupted_calls_are_made_again) {
    run_test([] {
        connected_pair pair;
        int interruptions = 6;
        const auto interrupted = [&] {
            errno = EINTR;
            return interruptions-- > 0;
        };
        const replace_system_call<&system_calls::recv> recv_guard(
            [&](auto... arguments) -> ssize_t {
                return interrupted()
                           ? -1
                           : replace_system_call<&system_calls::recv>::original(arguments...);
            });
        const replace_system_call<&system_calls::send> send_guard(
            [&](auto... arguments) -> ssize_t {
                return interrupted()
                           ? -1
                           : replace_system_call<&system_calls::send>::original(arguments...);
            });
        write(pair.client, "abc");
        char buffer[8];
        BOOST_TEST(pair.server.read_some(buffer, sizeof(buffer)) == 3U);
    });
}

BOOST_AUTO_TEST_CASE(connections_that_fail_in_the_queue_are_passed_over) {
    run_test([] {
        tcp_listener listener(any_port());
        tcp_socket client = tcp_socket::connect(listener.local_endpoint());
        std::vector<int> errors = {ECONNABORTED, EPROTO, ENETDOWN, EPERM, EINTR};
        using guard_type = replace_system_call<&system_calls::accept4>;
        const guard_type guard([&](auto... arguments) {
            if (errors.empty()) {
                return guard_type::original(arguments...);
            }
            errno = errors.back();
            errors.pop_back();
            return -1;
        });
        BOOST_TEST(listener.accept().is_open());
    });
}

BOOST_AUTO_TEST_CASE(a_connect_that_is_interrupted_goes_on) {
    run_test([] {
        tcp_listener listener(any_port());
        using guard_type = replace_system_call<&system_calls::connect>;
        const guard_type guard([&](auto... arguments) {
            guard_type::original(arguments...);
            errno = EINTR;
            return -1;
        });
        BOOST_TEST(tcp_socket::connect(listener.local_endpoint()).is_open());
    });
}

BOOST_AUTO_TEST_SUITE_END()
