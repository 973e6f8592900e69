// SPDX-License-Identifier: BSL-1.0
// A small web server that takes its time: scripts/demo starts three of them.
//
//     web_server [--address ADDRESS] [--port PORT] [--delay SECONDS] [--name NAME]
//
// It answers every request with a short page about NAME, after the delay. While one connection
// sleeps the others are served, so ten clients at once wait as long as one. Port 0, the default,
// takes a free one; the first line says which: "listening on ADDRESS:PORT". An IPv6 address stands
// in brackets.
#include <chrono>
#include <coir/coir.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

struct settings {
    std::string address = "127.0.0.1";
    std::string port = "0";
    std::chrono::duration<double> delay{0};
    std::string name = "localhost";
};

void answer(coir::net::tcp_socket client, const settings& chosen) {
    coir::net::tcp_connection connection(std::move(client));
    const std::string request = connection.read_line();
    for (std::string line = request; line != "\r\n" && line != "\n"; line = connection.read_line())
        if (line.empty())
            return;  // the client has gone before it had said what it wants

    coir::this_fiber::sleep_for(chosen.delay);

    const bool understood = request.compare(0, 4, "GET ") == 0;
    const std::string body = "This is " + chosen.name + ".\n";
    connection.write(understood ? "HTTP/1.0 200 OK\r\n" : "HTTP/1.0 501 Not Implemented\r\n");
    connection.write("Server: " + chosen.name + "\r\nContent-Type: text/plain\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
    connection.drain();
}

// Reads "1.5" or "1.5s".
std::chrono::duration<double> parse_seconds(const std::string& text) {
    char* end = nullptr;
    const double count = std::strtod(text.c_str(), &end);
    const std::string unit = end;
    if (end == text.c_str() || !(count >= 0) || (!unit.empty() && unit != "s"))
        throw std::invalid_argument("a time in seconds looks like 1.5, not like '" + text + "'");
    return std::chrono::duration<double>(count);
}

settings parse(int argc, char* argv[]) {
    settings chosen;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        if (option == "--address")
            chosen.address = argv[i + 1];
        else if (option == "--port")
            chosen.port = argv[i + 1];
        else if (option == "--delay")
            chosen.delay = parse_seconds(argv[i + 1]);
        else if (option == "--name")
            chosen.name = argv[i + 1];
        else
            throw std::invalid_argument("there is no option '" + option + "'");
    }
    if (argc % 2 == 0)
        throw std::invalid_argument(std::string("'") + argv[argc - 1] + "' lacks its value");
    return chosen;
}

int main(int argc, char* argv[]) {
    try {
        const settings chosen = parse(argc, argv);
        coir::run([&chosen] {
            coir::net::tcp_listener listener(
                coir::net::endpoint::parse(chosen.address + ':' + chosen.port));
            std::cout << "listening on " << listener.local_endpoint() << std::endl;
            coir::net::serve(listener, [&chosen](coir::net::tcp_socket client) {
                answer(std::move(client), chosen);
            });
        });
    } catch (const std::exception& error) {
        std::cerr << "web_server: " << error.what() << std::endl;
        return 1;
    }
}
