// SPDX-License-Identifier: BSL-1.0
// The port of before.cpp: the same program with a fiber for each connection, on one thread. What
// has changed is std::thread, std::this_thread and the namespace of libc's blocking calls, and
// main() runs it all in coir::run. The sockets are still the program's own, blocking ones.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <coir/coir.hpp>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace net = coir::posix;

constexpr int client_count = 10;

void check(bool succeeded, const char* what) {
    if (!succeeded)
        throw std::runtime_error(std::string(what) + " failed");
}

void send_all(int fd, const std::string& text) {
    for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t count = net::send(fd, text.data() + sent, text.size() - sent, 0);
        check(count > 0, "send");
        sent += static_cast<std::size_t>(count);
    }
}

// Up to the newline, or what came before the peer closed.
std::string receive_line(int fd) {
    std::string line;
    std::array<char, 256> buffer;
    while (line.find('\n') == std::string::npos) {
        const ssize_t count = net::recv(fd, buffer.data(), buffer.size(), 0);
        check(count >= 0, "recv");
        if (count == 0)
            break;
        line.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return line;
}

void serve_one(int fd) {
    const std::string name = receive_line(fd);
    coir::this_fiber::sleep_for(std::chrono::milliseconds(100));
    send_all(fd, "hello, " + name);
    net::close(fd);
}

void serve(int listening_fd) {
    std::vector<coir::fiber> connections;
    for (int i = 0; i < client_count; ++i) {
        const int fd = net::accept(listening_fd, nullptr, nullptr);
        check(fd >= 0, "accept");
        connections.emplace_back(serve_one, fd);
    }
    for (coir::fiber& connection : connections)
        connection.join();
}

void ask(sockaddr_in server, int number, std::string& answer) {
    const int fd = net::socket(AF_INET, SOCK_STREAM, 0);
    check(fd >= 0, "socket");
    check(net::connect(fd, reinterpret_cast<sockaddr*>(&server), sizeof(server)) == 0, "connect");
    send_all(fd, "client " + std::to_string(number) + "\n");
    answer = receive_line(fd);
    net::close(fd);
}

int serve_and_ask() {
    const int listening_fd = net::socket(AF_INET, SOCK_STREAM, 0);
    check(listening_fd >= 0, "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    check(net::bind(listening_fd, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
    check(net::listen(listening_fd, client_count) == 0, "listen");
    check(net::getsockname(listening_fd, reinterpret_cast<sockaddr*>(&address), &size) == 0,
          "getsockname");

    coir::fiber server(serve, listening_fd);
    std::vector<std::string> answers(client_count);
    std::vector<coir::fiber> clients;
    for (int i = 0; i < client_count; ++i)
        clients.emplace_back(ask, address, i, std::ref(answers[static_cast<std::size_t>(i)]));
    for (coir::fiber& client : clients)
        client.join();
    server.join();
    net::close(listening_fd);

    for (const std::string& answer : answers)
        std::cout << answer;
    return 0;
}

int main() { return coir::run(serve_and_ask); }
