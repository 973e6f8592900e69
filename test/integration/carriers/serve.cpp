// SPDX-License-Identifier: BSL-1.0
// A server with several carriers.
#include "support/system_calls.hpp"

#include <coir/async.hpp>
#include <coir/carrier.hpp>
#include <coir/fiber.hpp>
#include <coir/net/serve.hpp>
#include <coir/net/tcp.hpp>
#include <coir/run.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

using coir::fiber;
using coir::fiber_options;
using coir::net::listen_options;
using coir::net::serve_options;
using coir::net::tcp_listener;
using coir::net::tcp_socket;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t carriers = 3;

template <class F>
void run_on_several(F body) {
    coir::run_options options;
    options.threads = carriers;
    coir::run(options, [&] { coir::with_timeout(60s, body); });
}

coir::net::endpoint any_port() { return {coir::net::ip_address::loopback(), 0}; }

listen_options shared_port() {
    listen_options options;
    options.reuse_port = true;
    return options;
}

serve_options everywhere() {
    serve_options options;
    options.on_every_carrier = true;
    return options;
}

// Sends back the number of the carrier that it is on, and then what it gets.
void tell_and_echo(tcp_socket s) {
    const char number = static_cast<char>('0' + coir::this_carrier::number());
    s.write_all(&number, 1);
    char buffer[64];
    while (const std::size_t n = s.read_some(buffer, sizeof(buffer))) {
        s.write_all(buffer, n);
    }
}

std::size_t carrier_of(tcp_socket& client) {
    char number = 0;
    BOOST_TEST_REQUIRE(client.read_some(&number, 1) == 1U);
    return static_cast<std::size_t>(number - '0');
}

bool echoes(tcp_socket& client) {
    char byte = 'e';
    client.write_all(&byte, 1);
    byte = 0;
    return client.read_some(&byte, 1) == 1 && byte == 'e';
}

}  // namespace

BOOST_AUTO_TEST_SUITE(serve_with_several_carriers)

BOOST_AUTO_TEST_CASE(every_carrier_accepts_and_keeps_its_connections) {
    run_on_several([] {
        tcp_listener listener(any_port(), shared_port());
        fiber server([&] { coir::net::serve(listener, tell_and_echo, everywhere()); });
        coir::this_fiber::sleep_for(1ms);
        std::array<int, carriers> count{};
        std::vector<tcp_socket> clients;
        // The kernel chooses by a hash of the ports: 200 connections leave no listener out.
        for (int i = 0; i < 200; ++i) {
            clients.push_back(tcp_socket::connect(listener.local_endpoint()));
            ++count.at(carrier_of(clients.back()));
        }
        for (auto& client : clients) {
            BOOST_TEST(echoes(client));
        }
        for (const int each : count) {
            BOOST_TEST(each > 0);
        }
        server.cancel();
        server.join();
    });
}

BOOST_AUTO_TEST_CASE(closing_the_listener_ends_the_accepting_everywhere_and_awaits_the_handlers) {
    run_on_several([] {
        tcp_listener listener(any_port(), shared_port());
        const auto where = listener.local_endpoint();
        auto server = coir::async(fiber_options("server").on(0),
                                  [&] { coir::net::serve(listener, tell_and_echo, everywhere()); });
        std::vector<tcp_socket> clients;
        for (int i = 0; i < 50; ++i) {
            clients.push_back(tcp_socket::connect(where));
            carrier_of(clients.back());
        }
        coir::spawn_on(0, [&] { listener.close(); }).join();
        while (true) {  // until the last twin is closed
            std::error_code ec;
            tcp_socket::connect(where, ec);
            if (ec == std::errc::connection_refused) {
                break;
            }
            coir::this_fiber::sleep_for(100us);
        }
        BOOST_TEST(!server.ready());
        for (auto& client : clients) {
            BOOST_TEST(echoes(client));
        }
        clients.clear();
        BOOST_CHECK_NO_THROW(server.get());
    });
}

BOOST_AUTO_TEST_CASE(a_listener_that_does_not_share_its_port_is_refused_by_the_option) {
    run_on_several([] {
        tcp_listener listener(any_port());
        BOOST_CHECK_EXCEPTION(coir::net::serve(listener, tell_and_echo, everywhere()),
                              std::invalid_argument, [](const auto& e) {
                                  return std::string(e.what()).find("reuse_port") !=
                                         std::string::npos;
                              });
    });
}

// The failure is the server's, whichever carrier it has come to; it does not go on with the rest.
BOOST_AUTO_TEST_CASE(a_failure_to_accept_on_any_carrier_ends_the_server_with_it) {
    for (int failing = 0; failing < static_cast<int>(carriers); ++failing) {
        using replace_accept =
            coir::test::replace_system_call<&coir::detail::system_calls::accept4>;
        const replace_accept guard([&](int fd, sockaddr* from, socklen_t* size, int flags) {
            if (coir::this_carrier::number() == failing) {
                errno = EINVAL;
                return -1;
            }
            return replace_accept::original(fd, from, size, flags);
        });
        run_on_several([] {
            tcp_listener listener(any_port(), shared_port());
            const auto serve = [&] {
                coir::net::serve(listener, tell_and_echo, everywhere());
            };
            BOOST_CHECK_EXCEPTION(
                coir::with_timeout(5s, serve), std::system_error,
                [](const auto& e) { return e.code() == std::errc::invalid_argument; });
        });
    }
}

// Goal: connections of one listener run on several carriers. Method: all of them are in the backlog
// when the server begins, and whichever handler the accepting carrier starts computes until another
// carrier has started one.
BOOST_AUTO_TEST_CASE(connections_of_one_listener_are_started_by_whoever_is_idle) {
    run_on_several([] {
        tcp_listener listener(any_port());
        std::vector<tcp_socket> clients;
        for (int i = 0; i < 30; ++i) {
            clients.push_back(tcp_socket::connect(listener.local_endpoint()));
        }
        std::atomic<bool> started_elsewhere{false};
        const auto computing = [&](tcp_socket s) {
            if (coir::this_carrier::number() != 0) {
                started_elsewhere = true;
            }
            while (!started_elsewhere) {
                std::this_thread::yield();
            }
            const char number = static_cast<char>('0' + coir::this_carrier::number());
            s.write_all(&number, 1);
        };
        fiber server(fiber_options("server").on(0), [&] { coir::net::serve(listener, computing); });
        std::array<int, carriers> count{};
        for (auto& client : clients) {
            ++count.at(carrier_of(client));
        }
        BOOST_TEST(count[0] < 30);
        server.cancel();
        server.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
