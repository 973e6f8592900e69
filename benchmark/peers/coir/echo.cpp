// SPDX-License-Identifier: BSL-1.0
// TCP echo with coir: a fiber a connection, each in direct style.
#include "reactor_option.hpp"

#include <coir/net/serve.hpp>
#include <coir/net/tcp.hpp>
#include <coir/run.hpp>

#include <array>
#include <exception>
#include <iostream>

namespace {

void echo(coir::net::tcp_socket client) {
    std::array<char, 16384> buffer;
    while (const std::size_t size = client.read_some(buffer.data(), buffer.size())) {
        client.write_all(buffer.data(), size);
    }
}

}  // namespace

int main(int argc, char** argv) {
    choose_reactor(argc, argv);
    try {
        coir::run([] {
            coir::net::tcp_listener listener(coir::net::endpoint::parse("127.0.0.1:0"));
            std::cout << "listening " << listener.local_endpoint().port() << std::endl;
            coir::net::serve(listener, echo);
        });
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
