// SPDX-License-Identifier: BSL-1.0
// Sockets that fibers of several carriers use.
#include <coir/async.hpp>
#include <coir/fiber.hpp>
#include <coir/net/tcp.hpp>
#include <coir/posix.hpp>
#include <coir/run.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include "support/system_calls.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

using coir::fiber_options;
using coir::run_options;
using coir::task_group;
using coir::net::tcp_listener;
using coir::net::tcp_socket;
using namespace std::chrono_literals;

namespace {

template <class F>
void run_on_two(F body) {
    run_options options;
    options.threads = 2;
    coir::run(options, [&] { coir::with_timeout(60s, body); });
}

fiber_options on(int carrier) { return fiber_options("placed").on(carrier); }

coir::net::endpoint any_port() { return {coir::net::ip_address::loopback(), 0}; }

struct connected_pair {
    connected_pair() {
        tcp_listener listener(any_port());
        client = tcp_socket::connect(listener.local_endpoint());
        server = listener.accept();
    }
    tcp_socket client;
    tcp_socket server;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(descriptors_of_several_carriers)

// To close it here would be a data race on the object. The reader and the writer may be anywhere in
// their calls, or between two.
BOOST_AUTO_TEST_CASE(a_socket_shut_down_on_one_carrier_ends_the_calls_on_another) {
    run_on_two([] {
        for (int i = 0; i < 50; ++i) {
            connected_pair pair;
            auto reader = coir::async(on(1), [&] {
                char byte = 0;
                return pair.server.read_some(&byte, 1);
            });
            auto writer = coir::async(on(1), [&] {
                const std::string much(64U << 10U, 'x');
                std::error_code ec;
                while (!ec) {
                    pair.server.write_all(much.data(), much.size(), ec);
                }
                return ec;
            });
            if (i % 2 == 0) {
                coir::this_fiber::sleep_for(100us);  // most likely they wait now
            }
            pair.server.shutdown();
            BOOST_TEST(reader.get() == 0U);
            BOOST_TEST((writer.get() == std::errc::broken_pipe));
            pair.server.close();
        }
    });
}

BOOST_AUTO_TEST_CASE(a_socket_shut_down_by_a_thread_ends_the_call_of_a_fiber_and_of_a_thread) {
    run_on_two([] {
        for (int i = 0; i < 20; ++i) {
            connected_pair pair;
            const auto read = [&] {
                char byte = 0;
                return pair.server.read_some(&byte, 1);
            };
            auto in_a_fiber = coir::async(on(1), read);
            std::size_t got_by_thread = 1;
            std::thread in_a_thread([&] { got_by_thread = read(); });
            std::thread closer([&] { pair.server.shutdown(); });
            BOOST_TEST(in_a_fiber.get() == 0U);
            closer.join();
            in_a_thread.join();
            BOOST_TEST(got_by_thread == 0U);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_socket_is_closed_when_its_fiber_on_another_carrier_was_cancelled) {
    run_on_two([] {
        for (int i = 0; i < 50; ++i) {
            connected_pair pair;
            coir::fiber reader(on(1), [&] {
                char byte = 0;
                pair.server.read_some(&byte, 1);
                BOOST_ERROR("it has read");
            });
            if (i % 2 == 0) {
                coir::this_fiber::sleep_for(100us);
            }
            reader.cancel();
            reader.join();
            pair.server.close();
            char byte = 0;
            BOOST_TEST(pair.client.read_some(&byte, 1) == 0U);
        }
    });
}

// Numbers are nobody's objects: they may be closed under whoever uses them. The wait may be under
// way, be about to begin, or begin while the descriptor is being closed.
BOOST_AUTO_TEST_CASE(a_foreign_descriptor_closed_on_one_carrier_ends_the_wait_on_another) {
    const coir::test::close_unseen_by_sanitizers on_close;
    run_on_two([] {
        for (int i = 0; i < 200; ++i) {
            int ends[2];
            BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
            std::atomic<bool> reads{false};
            auto reader = coir::async(on(1), [&] {
                char byte = 0;
                reads = true;
                return coir::posix::read(ends[0], &byte, 1) < 0 ? errno : 0;
            });
            while (!reads) {
                coir::this_fiber::yield();
            }
            if (i % 2 == 0) {
                coir::this_fiber::sleep_for(100us);
            }
            coir::posix::close(ends[0]);
            BOOST_TEST(reader.get() == EBADF);
            coir::posix::close(ends[1]);
        }
    });
}

// Goal: what a carrier remembers of a number does not outlive the file. Method: sockets that one
// carrier has waited for are closed on the other, which opens new ones of the same numbers and
// gives them back.
BOOST_AUTO_TEST_CASE(sockets_and_their_numbers_move_between_carriers) {
    run_on_two([] {
        for (int i = 0; i < 100; ++i) {
            connected_pair pair;
            auto echoing = coir::async(on(1), [socket = std::move(pair.server)]() mutable {
                char buffer[16];
                const std::size_t n = socket.read_some(buffer, sizeof(buffer));
                socket.write_all(buffer, n);
                return std::move(socket);
            });
            coir::this_fiber::yield();
            pair.client.write_all("again", 5);
            char answer[16];
            BOOST_TEST(pair.client.read_some(answer, sizeof(answer)) == 5U);
            tcp_socket server = echoing.get();
            auto closing = coir::async(
                on(i % 2), [a = std::move(pair.client), b = std::move(server)]() mutable {
                    a.close();
                    b.close();
                });
            closing.get();
        }
    });
}

#ifdef __linux__
// Goal: a carrier that a socket has left is not woken by what comes for it. Method: a fiber of the
// first carrier waits for the socket once. Then it moves to the second, where it gets a thousand
// single bytes, while nothing happens on the first, whose returns from the kernel are counted.
BOOST_AUTO_TEST_CASE(a_socket_that_has_left_a_carrier_does_not_wake_it_for_ever) {
    constexpr int rounds = 1000;
    using coir::detail::system_calls;
    using on_epoll = coir::test::replace_system_call<&system_calls::epoll_pwait2>;
    using on_poll = coir::test::replace_system_call<&system_calls::ppoll>;
    using on_uring = coir::test::replace_system_call<&system_calls::io_uring_enter>;
    const auto first_carrier = std::this_thread::get_id();
    std::atomic<int> returns{0};
    const auto count = [&] {
        returns += std::this_thread::get_id() == first_carrier ? 1 : 0;
    };
    const on_epoll counting_epoll([&](auto... arguments) {
        const int events = on_epoll::original(arguments...);
        count();
        return events;
    });
    const on_poll counting_poll([&](auto... arguments) {
        const int events = on_poll::original(arguments...);
        count();
        return events;
    });
    const on_uring counting_uring([&](auto... arguments) {
        const int submitted = on_uring::original(arguments...);
        count();
        return submitted;
    });
    run_on_two([&] {
        connected_pair pair;
        char byte = 0;
        {
            coir::fiber writer(on(0), [&] { pair.client.write_all("x", 1); });
            pair.server.read_some(&byte, 1);
            writer.join();
        }
        auto moved = coir::async(on(1), [pair = std::move(pair)]() mutable {
            coir::fiber echo(on(1), [&] {
                char request = 0;
                while (pair.client.read_some(&request, 1) == 1) {
                    pair.client.write_all(&request, 1);
                }
            });
            for (int i = 0; i < rounds; ++i) {
                char answer = 0;
                pair.server.write_all("x", 1);
                pair.server.read_some(&answer, 1);
            }
            pair.server.shutdown_write();
            echo.join();
        });
        const int before = returns;
        moved.get();
        BOOST_TEST(before > 0);
        BOOST_TEST_MESSAGE("woken " << returns - before << " times");
        BOOST_TEST(returns - before < 30);
    });
}
#endif

// One carrier reads what another writes to the same socket, and the other way round.
BOOST_AUTO_TEST_CASE(two_carriers_use_the_two_directions_of_one_socket) {
    constexpr std::size_t much = 4U << 20U;
    run_on_two([] {
        connected_pair pair;
        task_group group;
        const auto send = [](tcp_socket& s) {
            const std::string block(64U << 10U, 'x');
            for (std::size_t sent = 0; sent < much; sent += block.size()) {
                s.write_all(block.data(), block.size());
            }
        };
        const auto receive = [](tcp_socket& s) {
            std::string block(64U << 10U, '\0');
            for (std::size_t got = 0; got < much;) {
                got += s.read_some(block.data(), block.size());
            }
        };
        group.spawn(on(0), [&] { send(pair.client); });
        group.spawn(on(1), [&] { receive(pair.client); });
        group.spawn(on(1), [&] { send(pair.server); });
        group.spawn(on(0), [&] { receive(pair.server); });
        BOOST_CHECK_NO_THROW(group.join());
    });
}

BOOST_AUTO_TEST_SUITE_END()
