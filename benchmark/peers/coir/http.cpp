// SPDX-License-Identifier: BSL-1.0
// HTTP with coir, a fiber a connection: a fixed answer to each request, the connection is kept. Of
// HTTP it knows no more than where a request without a body ends.
#include "reactor_option.hpp"

#include <coir/net/serve.hpp>
#include <coir/net/tcp.hpp>
#include <coir/run.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string_view>

namespace {

constexpr std::string_view response =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\nHello, world!\n";

// Finds the empty lines, which end requests, in a stream that comes in pieces. Whatever comes
// before a carriage return is passed over.
class request_ends {
public:
    std::size_t count_in(std::string_view piece) {
        constexpr std::string_view end = "\r\n\r\n";
        std::size_t found = 0;
        for (std::size_t i = 0; i < piece.size(); ++i) {
            if (seen_ == 0 && (i = piece.find('\r', i)) == piece.npos) {
                break;
            }
            seen_ = piece[i] == end[seen_] ? seen_ + 1 : piece[i] == '\r';
            if (seen_ == end.size()) {
                seen_ = 0;
                ++found;
            }
        }
        return found;
    }

private:
    std::size_t seen_ = 0;  // of the empty line
};

void answer(coir::net::tcp_socket client) {
    std::array<char, 16384> buffer;
    request_ends ends;
    while (const std::size_t size = client.read_some(buffer.data(), buffer.size())) {
        for (std::size_t left = ends.count_in({buffer.data(), size}); left > 0; --left) {
            client.write_all(response.data(), response.size());
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    choose_reactor(argc, argv);
    try {
        coir::run([] {
            coir::net::tcp_listener listener(coir::net::endpoint::parse("127.0.0.1:0"));
            std::cout << "listening " << listener.local_endpoint().port() << std::endl;
            coir::net::serve(listener, answer);
        });
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
