// SPDX-License-Identifier: BSL-1.0
#include "loopback.hpp"

#include <coir/io/buffered_stream.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <array>

using namespace coir::test;
using coir::net::endpoint;
using coir::net::ip_address;
using coir::net::ip_version;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

namespace {

std::string pattern(std::size_t size, unsigned seed) {
    std::string text(size, '\0');
    for (char& c : text) {
        seed = seed * 1664525U + 1013904223U;
        c = static_cast<char>(seed >> 24);
    }
    return text;
}

boost::test_tools::assertion_result has_ipv6(boost::unit_test::test_unit_id) {
    try {
        tcp_listener probe(endpoint(ip_address::loopback(ip_version::v6), 0));
        return true;
    } catch (const std::system_error& e) {
        boost::test_tools::assertion_result no(false);
        no.message() << "there is no ::1 here: " << e.what();
        return no;
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tcp_transfer)

BOOST_AUTO_TEST_CASE(what_is_sent_is_echoed) {
    run_test([] {
        tcp_listener listener(any_port());
        auto server = coir::async([&] {
            tcp_socket s = listener.accept();
            char buffer[16];
            while (const std::size_t n = s.read_some(buffer, sizeof(buffer))) {
                s.write_all(buffer, n);
            }
        });
        tcp_socket client = tcp_socket::connect(listener.local_endpoint());
        for (int i = 0; i < 100; ++i) {
            const std::string sent = "message " + std::to_string(i);
            write(client, sent);
            std::string got(sent.size(), '\0');
            for (std::size_t n = 0; n < got.size();) {
                n += client.read_some(got.data() + n, got.size() - n);
            }
            BOOST_TEST_REQUIRE(got == sent);
        }
        client.shutdown_write();
        BOOST_TEST(read_all(client).empty());
        server.get();
    });
}

BOOST_AUTO_TEST_CASE(each_end_knows_both_endpoints) {
    run_test([] {
        connected_pair pair;
        BOOST_TEST(pair.client.remote_endpoint() == pair.server.local_endpoint());
        BOOST_TEST(pair.server.remote_endpoint() == pair.client.local_endpoint());
    });
}

BOOST_AUTO_TEST_CASE(small_writes_are_not_delayed_by_default) {
    run_test([] {
        connected_pair pair;
        for (tcp_socket* s : {&pair.client, &pair.server}) {
            const auto no_delay = [&] {
                int on = -1;
                socklen_t size = sizeof(on);
                ::getsockopt(s->native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, &size);
                return on != 0;
            };
            BOOST_TEST(no_delay());
            s->set_no_delay(false);
            BOOST_TEST(!no_delay());
        }
    });
}

BOOST_AUTO_TEST_CASE(reading_goes_on_after_our_own_end) {
    run_test([] {
        connected_pair pair;
        write(pair.client, "question");
        pair.client.shutdown_write();
        BOOST_TEST(read_all(pair.server) == "question");
        write(pair.server, "answer");
        pair.server.close();
        BOOST_TEST(read_all(pair.client) == "answer");
    });
}

// The end that arrives together with the last data raises no event of its own, so a short read must
// not make the socket wait for one.
BOOST_AUTO_TEST_CASE(an_end_that_came_with_the_data_is_seen) {
    run_test([] {
        connected_pair pair;
        auto reader = coir::async([&] { return read_all(pair.server); });
        coir::this_fiber::yield();  // the reader waits, so that the socket is registered
        write(pair.client, "last words");
        pair.client.close();
        BOOST_TEST(reader.get() == "last words");
        BOOST_TEST(read_all(pair.server).empty());
    });
}

BOOST_AUTO_TEST_CASE(large_transfers_go_both_ways_at_once) {
    run_test([] {
        connected_pair pair;
        const std::string there = pattern(8 << 20, 1);
        const std::string back = pattern(8 << 20, 2);
        coir::task_group group;
        group.spawn([&] {
            write(pair.client, there);
            pair.client.shutdown_write();
        });
        group.spawn([&] {
            write(pair.server, back);
            pair.server.shutdown_write();
        });
        auto at_client = group.spawn([&] { return read_all(pair.client); });
        auto at_server = group.spawn([&] { return read_all(pair.server); });
        group.join();
        BOOST_TEST((at_server.get() == there));
        BOOST_TEST((at_client.get() == back));
    });
}

BOOST_AUTO_TEST_CASE(a_writer_waits_for_a_reader_that_does_not_read) {
    run_test([] {
        connected_pair pair;
        const std::size_t filled = fill(pair.client);
        auto writer = coir::async([&] { write(pair.client, std::string(1 << 20, 'w')); });
        coir::this_fiber::yield();
        BOOST_TEST(!writer.ready());
        auto reader = coir::async([&] { return read_all(pair.server).size(); });
        writer.get();
        pair.client.close();
        BOOST_TEST(reader.get() == filled + (1 << 20));
    });
}

BOOST_AUTO_TEST_CASE(several_fibers_read_one_socket) {
    run_test([] {
        connected_pair pair;
        coir::task_group group;
        std::size_t got = 0;
        for (int i = 0; i < 10; ++i) {
            group.spawn([&] {
                char byte = 0;
                while (pair.server.read_some(&byte, 1) == 1) {
                    ++got;
                    coir::this_fiber::yield();
                }
            });
        }
        for (int i = 0; i < 100; ++i) {
            write(pair.client, "x");
            coir::this_fiber::yield();
        }
        pair.client.shutdown_write();
        group.join();
        BOOST_TEST(got == 100U);
    });
}

BOOST_AUTO_TEST_CASE(several_fibers_accept_from_one_listener) {
    run_test([] {
        tcp_listener listener(any_port());
        coir::task_group group;
        int accepted = 0;
        for (int i = 0; i < 5; ++i) {
            group.spawn([&] {
                for (int n = 0; n < 4; ++n) {
                    tcp_socket s = listener.accept();
                    write(s, "!");
                    ++accepted;
                }
            });
        }
        for (int i = 0; i < 20; ++i) {
            tcp_socket s = tcp_socket::connect(listener.local_endpoint());
            BOOST_TEST_REQUIRE(read_all(s) == "!");
        }
        group.join();
        BOOST_TEST(accepted == 20);
    });
}

BOOST_AUTO_TEST_CASE(no_bytes_are_read_or_written_at_once) {
    run_test([] {
        connected_pair pair;
        char byte = 0;
        BOOST_TEST(pair.client.read_some(&byte, 0) == 0U);
        BOOST_TEST(pair.client.write_some(&byte, 0) == 0U);
        BOOST_TEST(pair.client.write_all(&byte, 0) == 0U);
    });
}

BOOST_AUTO_TEST_CASE(spans_are_read_and_written) {
    run_test([] {
        connected_pair pair;
        std::array<std::byte, 3> data{std::byte{1}, std::byte{2}, std::byte{3}};
        BOOST_TEST(pair.client.write_all(data) == 3U);
        std::array<std::byte, 8> got{};
        BOOST_TEST(pair.server.read_some(got) == 3U);
        BOOST_TEST((got[2] == std::byte{3}));
    });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_never_needs_to_wait_lets_others_run) {
    run_test([] {
        connected_pair pair;
        bool other_ran = false;
        auto other = coir::async([&] { other_ran = true; });
        int written = 0;
        while (!other_ran && written < 100'000) {
            pair.client.write_some("x", 1);
            ++written;
        }
        BOOST_TEST(other_ran);
        BOOST_TEST(written < 10'000);
        other.get();
    });
}

BOOST_AUTO_TEST_CASE(buffered_streams_stand_on_sockets) {
    run_test([] {
        connected_pair pair;
        coir::io::buffered_stream server(std::move(pair.server));
        auto answering = coir::async([&] {
            for (std::string line; line = server.read_line(), !line.empty();) {
                server.write("you said: " + line);
                server.drain();
            }
        });
        coir::io::buffered_stream client(std::move(pair.client));
        client.write("hello\nworld\n");
        client.drain();
        BOOST_TEST(client.read_line() == "you said: hello\n");
        BOOST_TEST(client.read_line() == "you said: world\n");
        client.stream().shutdown_write();
        answering.get();
    });
}

BOOST_AUTO_TEST_CASE(ipv6_works_the_same, *boost::unit_test::precondition(has_ipv6)) {
    run_test([] {
        connected_pair pair(endpoint(ip_address::loopback(ip_version::v6), 0));
        BOOST_TEST(pair.client.remote_endpoint().address().to_string() == "::1");
        write(pair.client, "six");
        pair.client.close();
        BOOST_TEST(read_all(pair.server) == "six");
    });
}

BOOST_AUTO_TEST_CASE(a_listener_on_any_ipv6_address_takes_ipv4_too,
                     *boost::unit_test::precondition(has_ipv6)) {
    run_test([] {
        tcp_listener listener(endpoint(ip_address::any(ip_version::v6), 0));
        tcp_socket four =
            tcp_socket::connect(endpoint(ip_address::loopback(), listener.local_endpoint().port()));
        tcp_socket accepted = listener.accept();
        BOOST_TEST(accepted.remote_endpoint().address().to_string() == "::ffff:127.0.0.1");
    });
}

BOOST_AUTO_TEST_SUITE_END()
