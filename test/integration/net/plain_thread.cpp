// SPDX-License-Identifier: BSL-1.0
// The same calls with no run(): they block the thread.
#include "loopback.hpp"

#include <coir/net/connect_any.hpp>
#include <coir/net/open_connection.hpp>
#include <coir/net/resolve.hpp>

#include <thread>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

BOOST_AUTO_TEST_SUITE(plain_thread)

BOOST_AUTO_TEST_CASE(threads_talk_through_sockets) {
    tcp_listener listener(any_port());
    std::thread server([&] {
        tcp_socket s = listener.accept();
        char buffer[64];
        while (const std::size_t n = s.read_some(buffer, sizeof(buffer))) {
            s.write_all(buffer, n);
        }
    });
    tcp_socket client = tcp_socket::connect(listener.local_endpoint());
    for (int i = 0; i < 100; ++i) {
        char byte = 0;
        write(client, "x");
        BOOST_TEST_REQUIRE(client.read_some(&byte, 1) == 1U);
    }
    client.shutdown_write();
    BOOST_TEST(read_all(client).empty());
    server.join();
}

BOOST_AUTO_TEST_CASE(large_transfers_block_and_go_on) {
    connected_pair pair;
    const std::string sent(4 << 20, 's');
    std::thread writer([&] {
        write(pair.client, sent);
        pair.client.close();
    });
    const std::string got = read_all(pair.server);
    writer.join();
    BOOST_TEST((got == sent));
}

BOOST_AUTO_TEST_CASE(a_fiber_talks_to_a_thread) {
    tcp_listener listener(any_port());
    std::thread server([&] {
        tcp_socket s = listener.accept();
        write(s, "from a thread");
    });
    run_test([&] {
        auto connection = coir::net::open_connection(listener.local_endpoint());
        BOOST_TEST(connection.read_to_end() == "from a thread");
    });
    server.join();
}

BOOST_AUTO_TEST_CASE(connections_are_opened_by_name_and_raced) {
    tcp_listener listener(any_port());
    const refusing_endpoint refusing;
    const silent_endpoint silent;
    std::thread server([&] {
        for (int i = 0; i < 2; ++i) {
            tcp_socket s = listener.accept();
            write(s, "hello\n");
        }
    });
    auto connection =
        coir::net::open_connection("localhost", std::to_string(listener.local_endpoint().port()));
    BOOST_TEST(connection.read_line() == "hello\n");
    tcp_socket raced =
        coir::net::connect_any({refusing.where, silent.where, listener.local_endpoint()}, 5ms);
    BOOST_TEST(read_all(raced) == "hello\n");
    server.join();
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_a_wait) {
    connected_pair pair;
    tcp_listener listener(any_port());
    const silent_endpoint silent;
    char byte = 0;
    BOOST_CHECK_THROW(coir::with_timeout(5ms, [&] { pair.client.read_some(&byte, 1); }),
                      coir::timed_out);
    BOOST_CHECK_THROW(coir::with_timeout(5ms, [&] { listener.accept(); }), coir::timed_out);
    BOOST_CHECK_THROW(coir::with_timeout(5ms, [&] { tcp_socket::connect(silent.where); }),
                      coir::timed_out);
    BOOST_CHECK_THROW(
        coir::with_timeout(5ms,
                           [&] {
                               coir::net::connect_any({silent.where, silent.where}, 1ms);
                           }),
        coir::timed_out);
}

BOOST_AUTO_TEST_CASE(errors_are_the_same) {
    const refusing_endpoint refusing;
    BOOST_TEST(
        (error_of([&] { tcp_socket::connect(refusing.where); }) == std::errc::connection_refused));
    BOOST_TEST((error_of([&] { coir::net::connect_any({refusing.where}); }) ==
                std::errc::connection_refused));
}

BOOST_AUTO_TEST_CASE(serve_needs_a_run) {
    tcp_listener listener(any_port());
    BOOST_TEST((error_of([&] { coir::net::serve(listener, [](tcp_socket) {}); }) ==
                std::errc::operation_not_permitted));
}

BOOST_AUTO_TEST_SUITE_END()
