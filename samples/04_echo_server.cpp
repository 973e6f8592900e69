// SPDX-License-Identifier: BSL-1.0
// An echo server for any number of clients at once, on one thread: a fiber for each connection, and
// each reads and writes as if it were alone.
//
//     04_echo_server [PORT]
//
// Port 0, the default, takes a free one. The first line says which: "listening on 127.0.0.1:PORT".
// Try it with `nc 127.0.0.1 PORT`. Ctrl-C ends it.
#include <array>
#include <coir/coir.hpp>
#include <exception>
#include <iostream>
#include <string>

// The socket is closed when the fiber's function returns, in whichever way. An exception, as of a
// connection that was reset, is logged by serve() and ends this connection alone.
void echo(coir::net::tcp_socket client) {
    std::array<char, 4096> buffer;
    while (const std::size_t size = client.read_some(buffer.data(), buffer.size()))
        client.write_all(buffer.data(), size);
}

int main(int argc, char* argv[]) {
    const std::string port = argc > 1 ? argv[1] : "0";
    try {
        coir::run([&port] {
            coir::net::tcp_listener listener(coir::net::endpoint::parse("127.0.0.1:" + port));
            std::cout << "listening on " << listener.local_endpoint() << std::endl;
            coir::net::serve(listener, echo);
        });
    } catch (const std::exception& error) {  // no such port, or another server has it
        std::cerr << "04_echo_server: " << error.what() << std::endl;
        return 1;
    }
}
