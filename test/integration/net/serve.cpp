// SPDX-License-Identifier: BSL-1.0
#include <coir/net/serve.hpp>

#include "loopback.hpp"

#include "base/log.hpp"
#include "support/system_calls.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::detail::system_calls;
using coir::net::serve;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

namespace {

void greet(tcp_socket s) { write(s, "hello"); }

struct captured_log {
    captured_log() {
        coir::detail::set_log_sink(
            [this](coir::detail::log_level, std::string_view text) { lines.emplace_back(text); });
    }
    captured_log(const captured_log&) = delete;
    captured_log& operator=(const captured_log&) = delete;
    ~captured_log() { coir::detail::set_log_sink({}); }

    bool has(const std::string& part) const {
        return std::any_of(lines.begin(), lines.end(),
                           [&](const auto& line) { return line.find(part) != std::string::npos; });
    }
    std::vector<std::string> lines;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(net_serve)

BOOST_AUTO_TEST_CASE(each_connection_gets_a_fiber_of_its_own) {
    run_test([] {
        tcp_listener listener(any_port());
        int open = 0;
        int most = 0;
        coir::fiber server([&] {
            serve(listener, [&](tcp_socket s) {
                most = std::max(most, ++open);
                read_all(s);
                --open;
            });
        });
        std::vector<tcp_socket> clients;
        for (int i = 0; i < 20; ++i) {
            clients.push_back(tcp_socket::connect(listener.local_endpoint()));
        }
        while (open < 20) {
            coir::this_fiber::sleep_for(1ms);
        }
        clients.clear();
        while (open > 0) {
            coir::this_fiber::sleep_for(1ms);
        }
        BOOST_TEST(most == 20);
    });
}

BOOST_AUTO_TEST_CASE(functions_and_objects_that_cannot_be_copied_are_handlers) {
    run_test([] {
        tcp_listener listener(any_port());
        coir::fiber by_function([&] { serve(listener, greet); });
        tcp_socket first = tcp_socket::connect(listener.local_endpoint());
        BOOST_TEST(read_all(first) == "hello");
        by_function.cancel();
        by_function.join();
        coir::fiber by_object([&] {
            serve(listener, [text = std::make_unique<std::string>("object")](tcp_socket s) {
                write(s, *text);
            });
        });
        tcp_socket second = tcp_socket::connect(listener.local_endpoint());
        BOOST_TEST(read_all(second) == "object");
    });
}

BOOST_AUTO_TEST_CASE(what_escapes_a_handler_is_logged_with_the_peer_and_harms_nobody) {
    const captured_log logged;
    run_test([&] {
        tcp_listener listener(any_port());
        coir::fiber server([&] {
            serve(listener, [](tcp_socket s) {
                char kind = 0;
                s.read_some(&kind, 1);
                if (kind == 'e') {
                    throw std::runtime_error("the handler's own error");
                }
                if (kind == 'i') {
                    throw 42;
                }
                write(s, "fine");
            });
        });
        tcp_socket bystander = tcp_socket::connect(listener.local_endpoint());
        std::vector<std::string> failing;
        for (const char* kind : {"e", "i"}) {
            tcp_socket s = tcp_socket::connect(listener.local_endpoint());
            write(s, kind);
            BOOST_TEST(read_all(s).empty());
            failing.push_back(s.local_endpoint().to_string());
        }
        write(bystander, "x");
        BOOST_TEST(read_all(bystander) == "fine");
        BOOST_TEST(logged.has("the handler's own error"));
        for (const std::string& peer : failing) {
            BOOST_TEST(logged.has(peer));
        }
    });
}

BOOST_AUTO_TEST_CASE(closing_the_listener_ends_it_after_its_handlers) {
    run_test([] {
        tcp_listener listener(any_port());
        bool handler_ended = false;
        auto server = coir::async([&] {
            serve(listener, [&](tcp_socket s) {
                write(s, "!");
                read_all(s);
                handler_ended = true;
            });
        });
        tcp_socket client = tcp_socket::connect(listener.local_endpoint());
        char byte = 0;
        client.read_some(&byte, 1);
        listener.close();
        for (int i = 0; i < 10; ++i) {
            coir::this_fiber::yield();
        }
        BOOST_TEST(!server.ready());
        client.close();
        server.get();
        BOOST_TEST(handler_ended);
    });
}

BOOST_AUTO_TEST_CASE(cancelling_it_cancels_and_awaits_its_handlers) {
    run_test([] {
        tcp_listener listener(any_port());
        int cancelled = 0;
        coir::cancel_scope scope;
        coir::fiber canceller([&] {
            tcp_socket first = tcp_socket::connect(listener.local_endpoint());
            tcp_socket second = tcp_socket::connect(listener.local_endpoint());
            char byte = 0;
            first.read_some(&byte, 1);
            second.read_some(&byte, 1);
            scope.cancel();
        });
        BOOST_TEST(!scope.run([&] {
            serve(listener, [&](tcp_socket s) {
                write(s, "!");
                try {
                    read_all(s);
                } catch (const coir::operation_cancelled&) {
                    coir::shield([] { coir::this_fiber::sleep_for(1ms); });
                    ++cancelled;
                    throw;
                }
            });
        }));
        BOOST_TEST(cancelled == 2);
        canceller.cancel();
    });
}

BOOST_AUTO_TEST_CASE(no_more_connections_than_allowed_are_open_at_once) {
    run_test([] {
        tcp_listener listener(any_port());
        coir::net::serve_options options;
        options.max_connections = 3;
        int open = 0;
        int most = 0;
        coir::fiber server([&] {
            serve(
                listener,
                [&](tcp_socket s) {
                    most = std::max(most, ++open);
                    write(s, "!");
                    read_all(s);
                    --open;
                },
                options);
        });
        std::vector<coir::future<void>> clients;
        for (int i = 0; i < 12; ++i) {
            clients.push_back(coir::async([&] {
                tcp_socket s = tcp_socket::connect(listener.local_endpoint());
                char byte = 0;
                s.read_some(&byte, 1);
                coir::this_fiber::yield();
            }));
        }
        for (auto& client : clients) {
            client.get();
        }
        BOOST_TEST(most == 3);
    });
}

BOOST_AUTO_TEST_CASE(an_error_of_accept_that_is_nobodys_passes_out) {
    run_test([] {
        tcp_listener listener(any_port());
        const replace_system_call<&system_calls::accept4> guard(failing_with(ENOTSOCK));
        BOOST_TEST((error_of([&] { serve(listener, greet); }) == std::errc::not_a_socket));
    });
}

BOOST_AUTO_TEST_CASE(a_closed_listener_ends_it_at_once) {
    run_test([] {
        tcp_listener listener;
        serve(listener, greet);
    });
}

BOOST_AUTO_TEST_SUITE_END()
