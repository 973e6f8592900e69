// SPDX-License-Identifier: BSL-1.0
// What happens where the process may open fewer descriptors than it would like to.
#include "loopback.hpp"

#include "base/log.hpp"

#include <coir/net/serve.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <algorithm>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

namespace {

// Lets the process open so many descriptors, for as long as it lives.
class descriptor_limit {
public:
    explicit descriptor_limit(rlim_t soft) {
        BOOST_TEST_REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
        const rlimit lowered{soft, before_.rlim_max};
        BOOST_TEST_REQUIRE(setrlimit(RLIMIT_NOFILE, &lowered) == 0);
    }
    descriptor_limit(const descriptor_limit&) = delete;
    descriptor_limit& operator=(const descriptor_limit&) = delete;
    ~descriptor_limit() { setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

// As many as are open, rounded up to a number that is easy to find in a message, and some room.
rlim_t room_for(int more) {
    const int next_free = ::dup(0);
    ::close(next_free);
    return static_cast<rlim_t>(next_free + more);
}

class captured_log {
public:
    captured_log() {
        coir::detail::set_log_sink([this](coir::detail::log_level, std::string_view text) {
            lines.emplace_back(text);
        });
    }
    captured_log(const captured_log&) = delete;
    captured_log& operator=(const captured_log&) = delete;
    ~captured_log() { coir::detail::set_log_sink({}); }

    int count(const std::string& part) const {
        return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const auto& line) {
            return line.find(part) != std::string::npos;
        }));
    }
    std::vector<std::string> lines;
};

bool echoes(tcp_socket& s) {
    char byte = 0;
    write(s, "e");
    return s.read_some(&byte, 1) == 1 && byte == 'e';
}

void echo(tcp_socket s) {
    char buffer[64];
    while (const std::size_t n = s.read_some(buffer, sizeof(buffer))) {
        s.write_all(buffer, n);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(accept_limits)

BOOST_AUTO_TEST_CASE(twenty_thousand_connections_fail_by_name_at_the_limit_and_others_go_on) {
    run_test([] {
        tcp_listener listener(any_port());
        connected_pair before;
        coir::fiber echoing(echo, std::move(before.server));
        const rlim_t limit = room_for(100);
        const descriptor_limit lowered(limit);
        std::vector<tcp_socket> connections;
        int failed = 0;
        for (int i = 0; i < 20'000; ++i) {
            try {
                connections.push_back(tcp_socket::connect(listener.local_endpoint()));
            } catch (const std::system_error& e) {
                if (failed++ == 0) {
                    BOOST_TEST_MESSAGE(e.what());
                    BOOST_TEST((e.code() == std::errc::too_many_files_open));
                    BOOST_TEST(says(e, "connect to " + listener.local_endpoint().to_string()));
                    BOOST_TEST(says(e, std::to_string(limit)));
                    BOOST_TEST(says(e, "ulimit -n"));
                }
            }
            if (i % 1000 == 999) {
                BOOST_TEST_REQUIRE(echoes(before.client));
            }
        }
        BOOST_TEST(failed > 0);
        BOOST_TEST(connections.size() + static_cast<std::size_t>(failed) == 20'000U);
        BOOST_TEST(connections.size() <= 100U);
        connections.clear();
        BOOST_TEST(tcp_socket::connect(listener.local_endpoint()).is_open());
        echoing.cancel();
        echoing.join();
    });
}

BOOST_AUTO_TEST_CASE(accept_at_the_limit_fails_by_name_and_works_again_below_it) {
    run_test([] {
        tcp_listener listener(any_port());
        tcp_socket client = tcp_socket::connect(listener.local_endpoint());
        {
            const rlim_t limit = room_for(0);
            const descriptor_limit lowered(limit);
            try {
                listener.accept();
                BOOST_ERROR("no exception");
            } catch (const std::system_error& e) {
                BOOST_TEST((e.code() == std::errc::too_many_files_open));
                BOOST_TEST(says(e, "accept on " + listener.local_endpoint().to_string()));
                BOOST_TEST(says(e, std::to_string(limit)));
                BOOST_TEST(says(e, "ulimit -n"));
            }
        }
        BOOST_TEST(listener.accept().is_open());
    });
}

BOOST_AUTO_TEST_CASE(a_listener_at_the_limit_fails_by_name) {
    run_test([] {
        const descriptor_limit lowered(room_for(0));
        try {
            tcp_listener listener(any_port());
            BOOST_ERROR("no exception");
        } catch (const std::system_error& e) {
            BOOST_TEST(says(e, "listen on 127.0.0.1:0"));
            BOOST_TEST(says(e, "ulimit -n"));
        }
    });
}

// Goal: a server that runs out of descriptors goes on with its connections, says so once, and accepts
// again when there is room. Method: the clients take all the descriptors, then leave.
BOOST_AUTO_TEST_CASE(a_server_at_the_limit_pauses_says_so_once_and_goes_on) {
    captured_log logged;
    run_test([&] {
        tcp_listener listener(any_port());
        coir::net::serve_options options;
        options.exhausted_pause = 1ms;
        coir::fiber server([&] { coir::net::serve(listener, echo, options); });
        tcp_socket early = tcp_socket::connect(listener.local_endpoint());
        BOOST_TEST(echoes(early));
        const rlim_t limit = room_for(20);
        const descriptor_limit lowered(limit);
        std::vector<tcp_socket> clients;
        std::error_code ec;
        while (!ec) {
            clients.push_back(tcp_socket::connect(listener.local_endpoint(), ec));
        }
        BOOST_TEST((ec == std::errc::too_many_files_open));
        clients.pop_back();  // it is closed
        // Until the server has noticed, and tried more than once.
        while (logged.count("pauses") == 0) {
            coir::this_fiber::sleep_for(1ms);
        }
        coir::this_fiber::sleep_for(5ms);
        BOOST_TEST(echoes(early));
        BOOST_TEST(logged.count("pauses") == 1);
        BOOST_TEST(logged.count(std::to_string(limit)) == 1);
        BOOST_TEST(logged.count("ulimit -n") == 1);
        clients.erase(clients.begin(), clients.begin() + static_cast<long>(clients.size() / 2));
        BOOST_TEST(echoes(clients.back()));  // the last in the queue: all were accepted
        BOOST_TEST(echoes(early));
        while (logged.count("goes on") == 0) {
            coir::this_fiber::sleep_for(1ms);
        }
        server.cancel();
        server.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
