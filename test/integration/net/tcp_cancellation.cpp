// SPDX-License-Identifier: BSL-1.0
// Every call that may wait, ended by a cancellation and by a deadline, and made in a scope that is
// cancelled already.
#include "loopback.hpp"

#include <coir/cancellation.hpp>
#include <coir/io/buffered_stream.hpp>
#include <coir/net/connect_any.hpp>
#include <coir/net/open_connection.hpp>
#include <coir/net/resolve.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <functional>

namespace data = boost::unit_test::data;
using namespace coir::test;
using namespace std::chrono_literals;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

namespace {

// Things to wait for in vain.
struct world {
    world() { fill(full.client); }
    connected_pair idle;
    connected_pair full;
    tcp_listener lonely{any_port()};
    silent_endpoint silent;
    std::error_code ec;
    char byte = 0;
};

struct call {
    const char* name;
    std::function<void(world&)> make;
};
std::ostream& operator<<(std::ostream& out, const call& c) { return out << c.name; }

const std::vector<call> calls = {
    {"read_some",
     [](world& w) {
         w.idle.client.read_some(&w.byte, 1);
     }},
    {"read_some with ec",
     [](world& w) {
         w.idle.client.read_some(&w.byte, 1, w.ec);
     }},
    {"write_some",
     [](world& w) {
         w.full.client.write_some("xx", 2);
     }},
    {"write_some with ec",
     [](world& w) {
         w.full.client.write_some("xx", 2, w.ec);
     }},
    {"write_all",
     [](world& w) {
         write(w.full.client, std::string(1 << 20, 'x'));
     }},
    {"accept",
     [](world& w) {
         w.lonely.accept();
     }},
    {"accept with ec",
     [](world& w) {
         w.lonely.accept(w.ec);
     }},
    {"connect",
     [](world& w) {
         tcp_socket::connect(w.silent.where);
     }},
    {"connect with ec",
     [](world& w) {
         tcp_socket::connect(w.silent.where, w.ec);
     }},
    {"connect_any",
     [](world& w) {
         coir::net::connect_any({w.silent.where, w.silent.where});
     }},
    {"connect_any with ec",
     [](world& w) {
         coir::net::connect_any({w.silent.where}, w.ec);
     }},
    {"open_connection",
     [](world& w) {
         coir::net::open_connection(w.silent.where);
     }},
    {"open_connection by name",
     [](world& w) {
         coir::net::open_connection("127.0.0.1", std::to_string(w.silent.where.port()));
     }},
    {"read_line",
     [](world& w) {
         coir::io::buffered_stream(std::move(w.idle.client)).read_line(w.ec);
     }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tcp_cancellation)

BOOST_DATA_TEST_CASE(a_waiting_call_is_ended_by_a_cancellation, data::make(calls), c) {
    run_test([&] {
        world w;
        coir::cancel_scope scope;
        auto canceller = coir::async([&] { scope.cancel(); });
        BOOST_TEST(!scope.run([&] {
            c.make(w);
            BOOST_ERROR("the call returned");
        }));
        BOOST_TEST(!w.ec);
        canceller.get();
    });
}

BOOST_DATA_TEST_CASE(a_waiting_call_is_ended_by_a_deadline, data::make(calls), c) {
    run_test([&] {
        world w;
        const auto begin = std::chrono::steady_clock::now();
        BOOST_CHECK_THROW(coir::with_timeout(5ms, [&] { c.make(w); }), coir::timed_out);
        BOOST_TEST((std::chrono::steady_clock::now() - begin >= 5ms));
    });
}

BOOST_DATA_TEST_CASE(a_call_in_a_cancelled_scope_does_nothing, data::make(calls), c) {
    run_test([&] {
        world w;
        coir::cancel_scope scope;
        scope.cancel();
        BOOST_TEST(!scope.run([&] { c.make(w); }));
    });
}

BOOST_AUTO_TEST_CASE(calls_that_need_not_wait_are_cancellation_points_too) {
    run_test([] {
        connected_pair pair;
        tcp_listener listener(any_port());
        write(pair.client, "waiting to be read");
        tcp_socket waiting = tcp_socket::connect(listener.local_endpoint());
        coir::cancel_scope scope;
        scope.cancel();
        char byte = 0;
        BOOST_TEST(!scope.run([&] { pair.server.read_some(&byte, 1); }));
        BOOST_TEST(!scope.run([&] { pair.server.write_some(&byte, 1); }));
        BOOST_TEST(!scope.run([&] { listener.accept(); }));
        BOOST_TEST(!scope.run([&] { coir::net::resolve("127.0.0.1", "1"); }));
        // Nothing was lost.
        BOOST_TEST(listener.accept().is_open());
        BOOST_TEST(pair.server.read_some(&byte, 1) == 1U);
        BOOST_TEST(byte == 'w');
    });
}

BOOST_AUTO_TEST_CASE(a_socket_goes_on_after_a_cancelled_wait) {
    run_test([] {
        connected_pair pair;
        for (int i = 0; i < 10; ++i) {
            char byte = 0;
            BOOST_TEST(!coir::try_for(1ms, [&] { pair.server.read_some(&byte, 1); }));
            auto reader = coir::async([&] { pair.server.read_some(&byte, 1); });
            coir::this_fiber::yield();
            write(pair.client, "k");
            reader.get();
            BOOST_TEST(byte == 'k');
        }
    });
}

BOOST_AUTO_TEST_CASE(close_in_a_cancelled_scope_closes) {
    run_test([] {
        connected_pair pair;
        coir::cancel_scope scope;
        scope.cancel();
        scope.run([&] {
            pair.client.shutdown_write();
            pair.client.close();
        });
        BOOST_TEST(read_all(pair.server).empty());
    });
}

BOOST_AUTO_TEST_SUITE_END()
