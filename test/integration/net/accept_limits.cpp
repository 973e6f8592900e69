// SPDX-License-Identifier: BSL-1.0
// What happens where the process may open fewer descriptors than it would like to.
#include "loopback.hpp"

#include "base/log.hpp"
#include "support/descriptors.hpp"
#include "support/system_calls.hpp"

#include <coir/net/serve.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <stdexcept>
#include <string>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::detail::system_calls;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

namespace {

struct failure {
    std::error_code code;
    std::string message;
    bool says(const std::string& part) const { return message.find(part) != std::string::npos; }
};

// What `fn` throws, taken without a look at its type.
template <class F>
__attribute__((no_sanitize("vptr"))) failure failure_of(F&& fn) {
    try {
        fn();
    } catch (const std::system_error& e) {
        return {e.code(), e.what()};
    }
    return {};
}

// Lets the process open so many descriptors, for as long as it lives.
class limit_of_descriptors {
public:
    explicit limit_of_descriptors(rlim_t soft) : limit_((fail_once(), soft)) {}

private:
    // UndefinedBehaviorSanitizer looks at an object of each dynamic type, the first time, through a
    // pipe of its own. So the library makes its error once while there are descriptors for that,
    // and these tests look at what they got only when there are again.
    static void fail_once() {
        const replace_system_call<&system_calls::socket> guard(failing_with(EMFILE));
        BOOST_TEST(failure_of([] { tcp_socket::connect(any_port()); }).says("ulimit -n"));
    }

    coir::test::descriptor_limit limit_;
};

// The limit that leaves room for so many more descriptors than are open.
rlim_t room_for(int more) {
    const int next_free = ::dup(0);
    ::close(next_free);
    return static_cast<rlim_t>(next_free + more);
}

class captured_log {
public:
    captured_log() {
        coir::detail::set_log_sink(
            [this](coir::detail::log_level, std::string_view text) { lines.emplace_back(text); });
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

// Goal: a server that runs out of descriptors goes on with its connections, says so once, and
// accepts again when there is room. Method: the clients take all the descriptors, then leave.
// Client and server take descriptors in turn, so with an even number of free ones the last is the
// server's and nobody is left in the queue: whether "goes on" is due then must be up to the next
// connection.
void serve_at_the_limit(int room) {
    captured_log logged;
    run_test([&] {
        tcp_listener listener(any_port());
        coir::net::serve_options options;
        options.exhausted_pause = 1ms;
        coir::fiber server([&] { coir::net::serve(listener, echo, options); });
        tcp_socket early = tcp_socket::connect(listener.local_endpoint());
        BOOST_TEST(echoes(early));
        const rlim_t limit = room_for(room);
        std::vector<tcp_socket> clients;
        std::error_code ec;
        int pauses = 0;
        bool early_echoes = false;
        bool late_echoes = false;
        {
            const limit_of_descriptors lowered(limit);
            while (!ec) {
                clients.push_back(tcp_socket::connect(listener.local_endpoint(), ec));
            }
            clients.pop_back();  // it is closed
            while (logged.count("pauses") == 0) {
                coir::this_fiber::sleep_for(1ms);
            }
            // Time for the server to try, in vain, more than once.
            coir::this_fiber::sleep_for(5ms);
            early_echoes = echoes(early);
            pauses = logged.count("pauses");
            clients.erase(clients.begin(), clients.begin() + static_cast<long>(clients.size() / 2));
            clients.push_back(tcp_socket::connect(listener.local_endpoint()));
            late_echoes = echoes(clients.back());  // the last in the queue: all were accepted
        }
        BOOST_TEST((ec == std::errc::too_many_files_open));
        BOOST_TEST(early_echoes);
        BOOST_TEST(late_echoes);
        BOOST_TEST(pauses == 1);
        BOOST_TEST(logged.count("at most " + std::to_string(limit) + " descriptors") >= 1);
        BOOST_TEST(logged.count("ulimit -n") >= 1);
        BOOST_TEST(logged.count("goes on") == 1);
        server.cancel();
        server.join();
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(accept_limits)

BOOST_AUTO_TEST_CASE(twenty_thousand_connections_fail_by_name_at_the_limit_and_others_go_on) {
    run_test([] {
        tcp_listener listener(any_port());
        connected_pair before;
        coir::fiber echoing(echo, std::move(before.server));
        const rlim_t limit = room_for(100);
        std::vector<tcp_socket> connections;
        failure first;
        int failed = 0;
        int echoed = 0;
        {
            const limit_of_descriptors lowered(limit);
            for (int i = 1; i <= 20'000; ++i) {
                failure now = failure_of(
                    [&] { connections.push_back(tcp_socket::connect(listener.local_endpoint())); });
                if (now.code && failed++ == 0) {
                    first = std::move(now);
                }
                echoed += i % 1000 == 0 && echoes(before.client) ? 1 : 0;
            }
        }
        BOOST_TEST_MESSAGE(first.message);
        BOOST_TEST((first.code == std::errc::too_many_files_open));
        BOOST_TEST(first.says("connect to " + listener.local_endpoint().to_string()));
        BOOST_TEST(first.says(std::to_string(limit)));
        BOOST_TEST(first.says("ulimit -n"));
        BOOST_TEST(connections.size() <= 100U);
        BOOST_TEST(connections.size() + static_cast<std::size_t>(failed) == 20'000U);
        BOOST_TEST(echoed == 20);
        echoing.cancel();
        echoing.join();
    });
}

BOOST_AUTO_TEST_CASE(accept_at_the_limit_fails_by_name_and_works_again_below_it) {
    run_test([] {
        tcp_listener listener(any_port());
        tcp_socket client = tcp_socket::connect(listener.local_endpoint());
        const rlim_t limit = room_for(0);
        failure f;
        {
            const limit_of_descriptors lowered(limit);
            f = failure_of([&] { listener.accept(); });
        }
        BOOST_TEST((f.code == std::errc::too_many_files_open));
        BOOST_TEST(f.says("accept on " + listener.local_endpoint().to_string()));
        BOOST_TEST(f.says(std::to_string(limit)));
        BOOST_TEST(f.says("ulimit -n"));
        BOOST_TEST(listener.accept().is_open());
    });
}

BOOST_AUTO_TEST_CASE(a_listener_at_the_limit_fails_by_name) {
    run_test([] {
        failure f;
        {
            const limit_of_descriptors lowered(room_for(0));
            f = failure_of([] { tcp_listener listener(any_port()); });
        }
        BOOST_TEST((f.code == std::errc::too_many_files_open));
        BOOST_TEST(f.says("listen on 127.0.0.1:0"));
        BOOST_TEST(f.says("ulimit -n"));
    });
}

BOOST_DATA_TEST_CASE(a_server_at_the_limit_pauses_says_so_once_and_goes_on,
                     boost::unit_test::data::make({20, 21}), room) {
    serve_at_the_limit(room);
}

BOOST_AUTO_TEST_SUITE_END()
