// SPDX-License-Identifier: BSL-1.0
#include <coir/net/open_connection.hpp>

#include "loopback.hpp"

#include "support/system_calls.hpp"

#include <coir/cancellation.hpp>
#include <coir/net/resolve.hpp>
#include <coir/this_fiber.hpp>

#include <netdb.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <semaphore>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::detail::system_calls;
using coir::net::connect_any;
using coir::net::endpoint;
using coir::net::open_connection;
using coir::net::resolve;
using coir::net::resolve_errc;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

namespace {

int next_free_descriptor() {
    const int fd = ::dup(0);
    ::close(fd);
    return fd;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(open_connection_to)

BOOST_AUTO_TEST_CASE(an_endpoint_gives_a_buffered_stream) {
    run_test([] {
        tcp_listener listener(any_port());
        auto connection = open_connection(listener.local_endpoint());
        tcp_socket server = listener.accept();
        connection.write("hello\n");
        connection.drain();
        connection.stream().shutdown_write();
        BOOST_TEST(read_all(server) == "hello\n");
    });
}

BOOST_AUTO_TEST_CASE(a_name_is_resolved_on_the_blocking_pool) {
    run_test([] {
        tcp_listener listener(any_port());
        const std::string port = std::to_string(listener.local_endpoint().port());
        auto connection = open_connection("localhost", port);
        BOOST_TEST(listener.accept().remote_endpoint() == connection.stream().local_endpoint());
    });
}

BOOST_AUTO_TEST_CASE(limits_are_passed_on) {
    run_test([] {
        tcp_listener listener(any_port());
        coir::net::connection_options options;
        options.limits.line_bytes = 4;
        auto connection = open_connection(listener.local_endpoint(), options);
        tcp_socket server = listener.accept();
        write(server, "too long\n");
        BOOST_CHECK_THROW(connection.read_line(), coir::io::limit_exceeded);
    });
}

BOOST_AUTO_TEST_CASE(the_next_address_is_tried_at_once_when_one_refuses) {
    run_test([] {
        tcp_listener listener(any_port());
        const refusing_endpoint refusing;
        // With this delay, only "at once" is in time.
        tcp_socket s = connect_any({refusing.where, refusing.where, listener.local_endpoint()}, 1h);
        BOOST_TEST(s.remote_endpoint() == listener.local_endpoint());
    });
}

BOOST_AUTO_TEST_CASE(the_next_address_is_tried_beside_one_that_does_not_answer) {
    run_test([] {
        tcp_listener listener(any_port());
        const silent_endpoint silent;
        const int before = next_free_descriptor();
        const auto begin = std::chrono::steady_clock::now();
        tcp_socket s = connect_any({silent.where, listener.local_endpoint()}, 10ms);
        BOOST_TEST((std::chrono::steady_clock::now() - begin >= 10ms));
        BOOST_TEST(s.remote_endpoint() == listener.local_endpoint());
        s.close();
        BOOST_TEST(next_free_descriptor() == before);  // the loser was closed
    });
}

BOOST_AUTO_TEST_CASE(a_slow_first_address_may_still_win) {
    run_test([] {
        const silent_endpoint silent;
        const refusing_endpoint refusing;
        tcp_listener listener(any_port());
        // The refusals come while the silent one is tried; the good one is the last.
        tcp_socket s = connect_any(
            {silent.where, refusing.where, silent.where, listener.local_endpoint()}, 2ms);
        BOOST_TEST(s.remote_endpoint() == listener.local_endpoint());
    });
}

BOOST_AUTO_TEST_CASE(where_all_refuse_each_is_named) {
    run_test([] {
        const refusing_endpoint first;
        const refusing_endpoint second;
        try {
            connect_any({first.where, second.where});
            BOOST_ERROR("no exception");
        } catch (const std::system_error& e) {
            BOOST_TEST_MESSAGE(e.what());
            BOOST_TEST((e.code() == std::errc::connection_refused));
            BOOST_TEST(says(e, first.where.to_string() + ": Connection refused"));
            BOOST_TEST(says(e, second.where.to_string() + ": Connection refused"));
        }
        std::error_code ec;
        BOOST_TEST(!connect_any({first.where, second.where}, ec).is_open());
        BOOST_TEST((ec == std::errc::connection_refused));
    });
}

BOOST_AUTO_TEST_CASE(a_host_that_refuses_is_named_with_its_service_and_addresses) {
    run_test([] {
        const refusing_endpoint refusing;
        const std::string port = std::to_string(refusing.where.port());
        try {
            open_connection("127.0.0.1", port);
            BOOST_ERROR("no exception");
        } catch (const std::system_error& e) {
            BOOST_TEST_MESSAGE(e.what());
            BOOST_TEST(says(e, "'127.0.0.1'"));
            BOOST_TEST(says(e, "'" + port + "'"));
            BOOST_TEST(says(e, refusing.where.to_string()));
            BOOST_TEST(says(e, "Connection refused"));
        }
        std::error_code ec;
        BOOST_TEST(!open_connection("127.0.0.1", port, ec).stream().is_open());
        BOOST_TEST((ec == std::errc::connection_refused));
        BOOST_TEST(!open_connection(refusing.where, ec).stream().is_open());
        BOOST_TEST((ec == std::errc::connection_refused));
    });
}

// RFC 6761: names under "invalid" never exist. Without a network no name server may answer: that is
// an error of the resolver as well.
BOOST_AUTO_TEST_CASE(a_host_that_does_not_resolve_is_named) {
    run_test([] {
        try {
            open_connection("no-such-host.invalid", "http");
            BOOST_ERROR("no exception");
        } catch (const std::system_error& e) {
            BOOST_TEST_MESSAGE(e.what());
            BOOST_TEST((e.code().category() == coir::net::resolve_category()));
            BOOST_TEST(says(e, "'no-such-host.invalid'"));
            BOOST_TEST(says(e, "'http'"));
        }
        std::error_code ec;
        BOOST_TEST(!open_connection("no-such-host.invalid", "http", ec).stream().is_open());
        BOOST_TEST((ec.category() == coir::net::resolve_category()));
    });
}

BOOST_AUTO_TEST_CASE(an_unknown_service_is_named) {
    run_test([] {
        std::error_code ec;
        BOOST_TEST(resolve("localhost", "no-such-service", ec).empty());
        BOOST_TEST((ec == resolve_errc::service_not_found || ec == resolve_errc::host_not_found));
    });
}

BOOST_AUTO_TEST_CASE(other_fibers_run_while_a_name_is_asked_for) {
    // Lives longer than the question.
    static std::binary_semaphore answer{0};
    using guard_type = replace_system_call<&system_calls::getaddrinfo>;
    const guard_type guard(
        [](const char*, const char* service, const addrinfo* hints, addrinfo** list) {
            answer.acquire();
            return guard_type::original("127.0.0.1", service, hints, list);
        });
    run_test([] {
        auto asking = coir::async([] { return resolve("slow.host", "80"); });
        for (int i = 0; i < 10; ++i) {
            coir::this_fiber::yield();
        }
        BOOST_TEST(!asking.ready());
        answer.release();
        BOOST_TEST((asking.get() == std::vector{endpoint::parse("127.0.0.1:80")}));
    });
}

BOOST_AUTO_TEST_CASE(a_question_that_is_cancelled_is_abandoned) {
    static std::binary_semaphore answer{0};
    static std::atomic<bool> asked{false};
    static std::binary_semaphore answered{0};
    using guard_type = replace_system_call<&system_calls::getaddrinfo>;
    const guard_type guard([](const char*, const char*, const addrinfo*, addrinfo**) {
        asked = true;
        answer.acquire();
        answered.release();
        return EAI_AGAIN;
    });
    run_test([] {
        auto asking = coir::async([] { return resolve("slow.host", "80"); });
        while (!asked) {
            coir::this_fiber::sleep_for(1ms);
        }
        asking.cancel();
        BOOST_CHECK_THROW(asking.get(), coir::task_cancelled);
        answer.release();
    });
    answered.acquire();
}

BOOST_AUTO_TEST_SUITE_END()
