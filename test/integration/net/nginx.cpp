// SPDX-License-Identifier: BSL-1.0
// Three sites of a real server, fetched at once in code that reads sequentially.
#include "nginx_server.hpp"

#include <coir/net/open_connection.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::net::open_connection;
using coir::net::tcp_listener;
using coir::net::tcp_socket;

namespace {

struct response {
    int status = 0;
    std::map<std::string, std::string> headers;
    std::string body;
};

std::string read_chunks(coir::net::tcp_connection& connection) {
    std::string body;
    for (;;) {
        const std::size_t size = std::stoul(connection.read_line(), nullptr, 16);
        body += connection.read_exactly(size);
        if (connection.read_exactly(2) != "\r\n") {
            throw std::runtime_error("a chunk without its end");
        }
        if (size == 0) {
            return body;
        }
    }
}

response fetch(const std::string& port, const std::string& path) {
    auto connection = open_connection("localhost", port);
    connection.write("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    connection.drain();
    response r;
    const std::string status = connection.read_until("\r\n");
    r.status = std::stoi(status.substr(status.find(' ') + 1));
    for (std::string line; line = connection.read_line(), line != "\r\n";) {
        const std::size_t colon = line.find(": ");
        r.headers[line.substr(0, colon)] = line.substr(colon + 2, line.size() - colon - 4);
    }
    if (r.headers.count("Transfer-Encoding") != 0) {
        r.body = read_chunks(connection);
    } else if (r.headers.count("Content-Length") != 0) {
        r.body = connection.read_exactly(std::stoul(r.headers["Content-Length"]));
    } else {
        r.body = connection.read_to_end();
    }
    return r;
}

std::string numbered_lines(std::size_t size) {
    std::string text;
    for (int i = 0; text.size() < size; ++i) {
        text += "line " + std::to_string(i) + '\n';
    }
    text.resize(size);
    return text;
}

const char* const sites = R"(
    upstream resetting { server @resetting@; }
    upstream silent { server @silent@; }
    server {
        listen @port0@;
        location / { }
        location /nothing { return 444; }
    }
    server {
        listen @port1@;
        ssi on;
        ssi_types text/plain;
        location / { }
        location /cut-short { proxy_pass http://resetting; proxy_buffering off; }
    }
    server {
        listen @port2@;
        location / { limit_rate 64k; }
        location /silent { proxy_pass http://silent; }
    }
)";

// What all cases share: nginx, and two servers of our own behind it.
struct web {
    web() : resetting(any_port()), silent(any_port()) {
        std::string configuration = sites;
        for (const auto& [name, listener] :
             {std::pair{"@resetting@", &resetting}, std::pair{"@silent@", &silent}}) {
            configuration.replace(configuration.find(name), std::string(name).size(),
                                  listener->local_endpoint().to_string());
        }
        nginx = std::make_unique<nginx_server>(3, configuration);
        nginx->add_file("large", large);
        nginx->add_file("chunked", "<!--#set var=\"word\" value=\"included\" -->" + chunked +
                                       "<!--#echo var=\"word\" -->");
        nginx->add_file("slow", slow);
        nginx->start();
    }

    const std::string large = numbered_lines(6 << 20);
    const std::string chunked = numbered_lines(300'000);
    const std::string slow = numbered_lines(80'000);
    tcp_listener resetting;
    tcp_listener silent;
    std::unique_ptr<nginx_server> nginx;
};

std::unique_ptr<web> servers;

struct started_once {
    static void setup() {
        if (!nginx_server::installed()) {
            std::printf("skipped: %s is not installed (Debian package nginx)\n",
                        nginx_server::program);
            std::fflush(stdout);
            std::_Exit(77);
        }
        servers = std::make_unique<web>();
    }
    static void teardown() { servers.reset(); }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(started_once);

BOOST_AUTO_TEST_SUITE(nginx)

BOOST_AUTO_TEST_CASE(three_sites_are_fetched_at_once) {
    run_test([] {
        const nginx_server& nginx = *servers->nginx;
        coir::task_group group;
        auto large = group.spawn(fetch, nginx.port(0), "/large");
        auto chunked = group.spawn(fetch, nginx.port(1), "/chunked");
        auto slow = group.spawn(fetch, nginx.port(2), "/slow");
        group.join();
        const response first = large.get();
        BOOST_TEST(first.status == 200);
        BOOST_TEST((first.body == servers->large));
        response second = chunked.get();
        BOOST_TEST(second.status == 200);
        BOOST_TEST(second.headers["Transfer-Encoding"] == "chunked");
        BOOST_TEST((second.body == servers->chunked + "included"));
        const response third = slow.get();
        BOOST_TEST(third.status == 200);
        BOOST_TEST((third.body == servers->slow));
    });
}

BOOST_AUTO_TEST_CASE(many_fetches_of_all_sites_go_on_at_once) {
    run_test([] {
        const nginx_server& nginx = *servers->nginx;
        coir::task_group group;
        std::vector<coir::future<response>> answers;
        for (int i = 0; i < 30; ++i) {
            answers.push_back(group.spawn(fetch, nginx.port(static_cast<std::size_t>(i) % 2),
                                          i % 2 == 0 ? "/large" : "/chunked"));
        }
        group.join();
        for (std::size_t i = 0; i < answers.size(); ++i) {
            const response r = answers[i].get();
            BOOST_TEST((r.body == (i % 2 == 0 ? servers->large : servers->chunked + "included")));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_page_that_is_missing_is_an_answer) {
    run_test([] { BOOST_TEST(fetch(servers->nginx->port(0), "/missing").status == 404); });
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_closed_instead_of_an_answer_is_an_incomplete_read) {
    run_test([] {
        try {
            fetch(servers->nginx->port(0), "/nothing");
            BOOST_ERROR("no exception");
        } catch (const coir::io::incomplete_read& e) {
            BOOST_TEST(e.partial().empty());
        }
    });
}

BOOST_AUTO_TEST_CASE(a_body_that_is_reset_half_way_is_an_error_and_the_others_go_on) {
    run_test([] {
        coir::fiber upstream([] {
            coir::net::serve(servers->resetting, [](tcp_socket s) {
                reset_on_close(s);
                char buffer[4096];
                s.read_some(buffer, sizeof(buffer));
                write(s, "HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\nonly so much");
                // nginx hands on what it has before it learns of the reset.
                coir::this_fiber::sleep_for(50ms);
            });
        });
        const nginx_server& nginx = *servers->nginx;
        coir::task_group group;
        auto others = group.spawn(fetch, nginx.port(0), "/large");
        try {
            fetch(nginx.port(1), "/cut-short");
            BOOST_ERROR("no exception");
        } catch (const coir::io::incomplete_read& e) {
            BOOST_TEST(e.partial() == "only so much");
            BOOST_TEST(e.expected().value() == 1000U);
        } catch (const std::system_error& e) {
            BOOST_TEST((e.code() == std::errc::connection_reset));
        }
        group.join();
        BOOST_TEST((others.get().body == servers->large));
    });
}

BOOST_AUTO_TEST_CASE(a_site_that_never_answers_is_ended_by_a_deadline_and_the_others_go_on) {
    run_test([] {
        const nginx_server& nginx = *servers->nginx;
        coir::fiber upstream([] {
            std::vector<tcp_socket> never_answered;
            for (;;) {
                never_answered.push_back(servers->silent.accept());
            }
        });
        coir::task_group group;
        auto others = group.spawn(fetch, nginx.port(2), "/slow");
        BOOST_CHECK_THROW(coir::with_timeout(200ms, [&] { fetch(nginx.port(2), "/silent"); }),
                          coir::timed_out);
        group.join();
        BOOST_TEST((others.get().body == servers->slow));
    });
}

BOOST_AUTO_TEST_SUITE_END()
