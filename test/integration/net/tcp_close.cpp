// SPDX-License-Identifier: BSL-1.0
#include "loopback.hpp"

#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <fcntl.h>
#include <unistd.h>

using namespace coir::test;
using coir::net::endpoint;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

namespace {

const std::error_code bad_descriptor(EBADF, std::system_category());

}  // namespace

BOOST_AUTO_TEST_SUITE(tcp_close)

BOOST_AUTO_TEST_CASE(a_reader_whose_socket_is_closed_fails) {
    run_test([] {
        connected_pair pair;
        std::vector<coir::future<std::error_code>> readers;
        for (int i = 0; i < 3; ++i) {
            readers.push_back(coir::async([&] {
                char byte = 0;
                return error_of([&] { pair.server.read_some(&byte, 1); });
            }));
        }
        coir::this_fiber::yield();
        pair.server.close();
        for (auto& reader : readers) {
            BOOST_TEST((reader.get() == bad_descriptor));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_writer_whose_socket_is_closed_fails) {
    run_test([] {
        connected_pair pair;
        fill(pair.client);
        auto writer = coir::async(
            [&] { return error_of([&] { write(pair.client, std::string(1 << 20, 'w')); }); });
        coir::this_fiber::yield();
        pair.client.close();
        BOOST_TEST((writer.get() == bad_descriptor));
    });
}

BOOST_AUTO_TEST_CASE(a_shutdown_ends_a_reader_and_a_writer_and_keeps_the_descriptor) {
    run_test([] {
        connected_pair pair;
        write(pair.client, "rest");
        fill(pair.server);
        auto writer = coir::async(
            [&] { return error_of([&] { write(pair.server, std::string(1 << 20, 'w')); }); });
        auto reader = coir::async([&] {
            std::string got;
            char byte = 0;
            while (pair.server.read_some(&byte, 1) == 1) {
                got += byte;
            }
            return got;
        });
        coir::this_fiber::yield();
        pair.server.shutdown();
        BOOST_TEST(reader.get() == "rest");
        BOOST_TEST((writer.get() == std::errc::broken_pipe));
        BOOST_TEST(pair.server.is_open());
    });
}

BOOST_AUTO_TEST_CASE(an_accept_whose_listener_is_closed_fails) {
    run_test([] {
        tcp_listener listener(any_port());
        auto accepting = coir::async([&] { return error_of([&] { listener.accept(); }); });
        coir::this_fiber::yield();
        listener.close();
        BOOST_TEST((accepting.get() == bad_descriptor));
        BOOST_TEST(!listener.is_open());
    });
}

// Two fibers are woken by one event. The first closes the socket, and another one gets its number.
// The second must not read from that.
BOOST_AUTO_TEST_CASE(a_reader_does_not_read_from_a_later_socket_of_the_same_number) {
    run_test([] {
        connected_pair first;
        connected_pair second;
        write(second.client, "not for you");
        const int number = first.server.native_handle();
        auto swapper = coir::async([&] {
            char byte = 0;
            first.server.read_some(&byte, 1);
            first.server.close();
            BOOST_TEST(::dup3(second.server.native_handle(), number, O_CLOEXEC) == number);
        });
        auto reader = coir::async([&] {
            char buffer[64];
            return error_of([&] { first.server.read_some(buffer, sizeof(buffer)); });
        });
        coir::this_fiber::yield();
        write(first.client, "xy");
        swapper.get();
        BOOST_TEST((reader.get() == bad_descriptor));
        char buffer[64];
        BOOST_TEST(second.server.read_some(buffer, sizeof(buffer)) == 11U);
        ::close(number);
    });
}

BOOST_AUTO_TEST_CASE(calls_on_a_closed_socket_fail_by_name) {
    run_test([] {
        tcp_socket closed;
        char byte = 0;
        std::error_code ec;
        BOOST_TEST(!closed.is_open());
        BOOST_TEST(closed.native_handle() == -1);
        closed.close();
        BOOST_TEST((error_of([&] { closed.read_some(&byte, 1); }) == bad_descriptor));
        BOOST_TEST((error_of([&] { closed.write_some(&byte, 1); }) == bad_descriptor));
        BOOST_TEST((error_of([&] { closed.shutdown_write(); }) == bad_descriptor));
        BOOST_TEST((error_of([&] { closed.shutdown(); }) == bad_descriptor));
        BOOST_TEST((error_of([&] { closed.set_no_delay(true); }) == bad_descriptor));
        BOOST_TEST((error_of([&] { closed.local_endpoint(); }) == bad_descriptor));
        BOOST_TEST(closed.read_some(&byte, 1, ec) == 0U);
        BOOST_TEST((ec == bad_descriptor));
        try {
            closed.read_some(&byte, 1);
        } catch (const std::system_error& e) {
            BOOST_TEST(says(e, "read from a closed socket"));
        }
        tcp_listener never_opened;
        BOOST_TEST((error_of([&] { never_opened.accept(); }) == bad_descriptor));
    });
}

BOOST_AUTO_TEST_CASE(a_reset_is_an_error_that_names_the_peer) {
    run_test([] {
        connected_pair pair;
        const std::string peer = pair.client.local_endpoint().to_string();
        auto reader = coir::async([&] {
            char byte = 0;
            try {
                pair.server.read_some(&byte, 1);
                BOOST_ERROR("no exception");
            } catch (const std::system_error& e) {
                BOOST_TEST((e.code() == std::errc::connection_reset));
                BOOST_TEST(says(e, "read from " + peer));
            }
        });
        coir::this_fiber::yield();
        reset_on_close(pair.client);
        pair.client.close();
        reader.get();
        BOOST_TEST(pair.server.remote_endpoint().to_string() == peer);
    });
}

BOOST_AUTO_TEST_CASE(writing_to_a_peer_that_is_gone_is_an_error_and_no_signal) {
    run_test([] {
        connected_pair pair;
        reset_on_close(pair.client);
        pair.client.close();
        std::error_code ec;
        while (!ec) {
            pair.server.write_all("x", 1, ec);
        }
        BOOST_TEST((ec == std::errc::broken_pipe || ec == std::errc::connection_reset));
        const std::error_code second = error_of([&] { write(pair.server, "y"); });
        BOOST_TEST((second == std::errc::broken_pipe));
    });
}

BOOST_AUTO_TEST_CASE(write_all_says_how_much_was_sent) {
    run_test([] {
        connected_pair pair;
        pair.server.shutdown_write();
        try {
            write(pair.server, "12345");
            BOOST_ERROR("no exception");
        } catch (const std::system_error& e) {
            BOOST_TEST(says(e, "0 of 5 bytes sent"));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_refused_port_is_an_error_that_names_it) {
    run_test([] {
        const refusing_endpoint refusing;
        try {
            tcp_socket::connect(refusing.where);
            BOOST_ERROR("no exception");
        } catch (const std::system_error& e) {
            BOOST_TEST((e.code() == std::errc::connection_refused));
            BOOST_TEST(says(e, "connect to " + refusing.where.to_string()));
        }
        std::error_code ec;
        BOOST_TEST(!tcp_socket::connect(refusing.where, ec).is_open());
        BOOST_TEST((ec == std::errc::connection_refused));
    });
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_an_error_that_names_it) {
    run_test([] {
        tcp_listener first(any_port());
        try {
            tcp_listener second(first.local_endpoint());
            BOOST_ERROR("no exception");
        } catch (const std::system_error& e) {
            BOOST_TEST((e.code() == std::errc::address_in_use));
            BOOST_TEST(says(e, "listen on " + first.local_endpoint().to_string()));
        }
    });
}

BOOST_AUTO_TEST_CASE(descriptors_are_given_up_and_taken_over) {
    run_test([] {
        connected_pair pair;
        auto reader = coir::async([&] {
            char byte = 0;
            return error_of([&] { pair.client.read_some(&byte, 1); });
        });
        coir::this_fiber::yield();
        const int number = pair.client.release();
        BOOST_TEST((reader.get() == bad_descriptor));
        BOOST_TEST(!pair.client.is_open());
        ::fcntl(number, F_SETFL, 0);
        tcp_socket again = tcp_socket::from_native(number);
        BOOST_TEST(again.native_handle() == number);
        BOOST_TEST(again.remote_endpoint() == pair.server.local_endpoint());
        BOOST_TEST((::fcntl(number, F_GETFL) & O_NONBLOCK) != 0);
        auto second_reader = coir::async([&] { return read_all(again); });
        coir::this_fiber::yield();
        write(pair.server, "still here");
        pair.server.close();
        BOOST_TEST(second_reader.get() == "still here");
    });
}

BOOST_AUTO_TEST_CASE(what_is_no_tcp_connection_is_not_taken_over) {
    run_test([] {
        int pipes[2];
        int pair[2];
        BOOST_TEST_REQUIRE(::pipe(pipes) == 0);
        BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        BOOST_TEST(
            (error_of([&] { tcp_socket::from_native(pipes[0]); }) == std::errc::not_a_socket));
        BOOST_TEST(
            (error_of([&] { tcp_socket::from_native(pair[0]); }) == std::errc::invalid_argument));
        BOOST_TEST((error_of([&] { tcp_socket::from_native(-1); }) == bad_descriptor));
        for (const int fd : {pipes[0], pipes[1], pair[0], pair[1]}) {
            BOOST_TEST(::close(fd) == 0);  // they stayed ours
        }
    });
}

BOOST_AUTO_TEST_CASE(sockets_may_outlive_a_run_and_go_on_in_the_next) {
    tcp_socket client;
    tcp_socket server;
    run_test([&] {
        connected_pair pair;
        char byte = 0;
        write(pair.client, "1");
        pair.server.read_some(&byte, 1);
        client = std::move(pair.client);
        server = std::move(pair.server);
    });
    run_test([&] {
        auto reader = coir::async([&] { return read_all(server); });
        coir::this_fiber::yield();
        write(client, "next");
        client.close();
        BOOST_TEST(reader.get() == "next");
    });
}

BOOST_AUTO_TEST_CASE(numbers_that_come_and_go_wake_nobody_by_mistake) {
    run_test([] {
        for (int i = 0; i < 300; ++i) {
            connected_pair pair;
            auto reader = coir::async([&] { return read_all(pair.server); });
            coir::this_fiber::yield();
            write(pair.client, "x");
            pair.client.close();
            BOOST_TEST_REQUIRE(reader.get() == "x");
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
