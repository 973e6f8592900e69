// SPDX-License-Identifier: BSL-1.0
// The port of before.cpp: a fiber for each connection, all on one thread. What has changed is
// std::thread, main(), which runs it all in coir::run, and the one call that computes for long. The
// lookups, the streams, the sleep and the mutex are still libc's: the program is linked with
// coir::hook.
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <coir/coir.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

constexpr int client_count = 10;

std::mutex register_mutex;
std::vector<std::string> register_of_lines;

void require(bool holds, const char* what) {
    if (!holds) {
        std::perror(what);
        std::exit(1);
    }
}

std::string read_line(std::FILE* from) {
    std::array<char, 256> line;
    return std::fgets(line.data(), line.size(), from) != nullptr ? line.data() : "";
}

// Takes its time, which is its purpose.
std::uint64_t seal_of(const std::string& line) {
    std::uint64_t seal = 14695981039346656037U;
    for (int round = 0; round < 400'000; ++round)
        for (const char c : line)
            seal = (seal ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return seal;
}

void serve_one(int fd) {
    std::FILE* const in = ::fdopen(fd, "r");
    std::FILE* const out = ::fdopen(::dup(fd), "w");
    require(in != nullptr && out != nullptr, "fdopen");
    const std::string line = read_line(in);
    ::sleep(1);  // the archive
    {
        const std::lock_guard<std::mutex> lock(register_mutex);
        register_of_lines.push_back(line);
    }
    const std::uint64_t seal = coir::run_blocking(seal_of, line);
    std::fprintf(out, "%016llx %s", static_cast<unsigned long long>(seal), line.c_str());
    std::fclose(out);
    std::fclose(in);
}

void serve(int listening_fd) {
    std::vector<coir::fiber> connections;
    for (int i = 0; i < client_count; ++i) {
        const int fd = ::accept(listening_fd, nullptr, nullptr);
        require(fd >= 0, "accept");
        connections.emplace_back(serve_one, fd);
    }
    for (coir::fiber& connection : connections)
        connection.join();
}

// A socket that is bound to, or connected with, a port of this machine.
int open_socket(const std::string& port, int (*bind_or_connect)(int, const sockaddr*, socklen_t)) {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    require(::getaddrinfo("localhost", port.c_str(), &hints, &found) == 0, "getaddrinfo");
    const int fd = ::socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    require(fd >= 0, "socket");
    require(bind_or_connect(fd, found->ai_addr, found->ai_addrlen) == 0, "bind or connect");
    ::freeaddrinfo(found);
    return fd;
}

void ask(const std::string& port, int number, std::string& answer) {
    const int fd = open_socket(port, ::connect);
    std::FILE* const in = ::fdopen(fd, "r");
    std::FILE* const out = ::fdopen(::dup(fd), "w");
    require(in != nullptr && out != nullptr, "fdopen");
    std::fprintf(out, "document %d\n", number);
    std::fflush(out);
    answer = read_line(in);
    std::fclose(out);
    std::fclose(in);
}

int serve_and_ask() {
    const int listening_fd = open_socket("0", ::bind);
    require(::listen(listening_fd, client_count) == 0, "listen");
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    require(::getsockname(listening_fd, reinterpret_cast<sockaddr*>(&address), &size) == 0,
            "getsockname");
    std::array<char, 8> port;
    require(::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, nullptr, 0, port.data(),
                          port.size(), NI_NUMERICSERV) == 0,
            "getnameinfo");

    coir::fiber server(serve, listening_fd);
    std::vector<std::string> answers(client_count);
    std::vector<coir::fiber> clients;
    for (int i = 0; i < client_count; ++i)
        clients.emplace_back(ask, port.data(), i, std::ref(answers[static_cast<std::size_t>(i)]));
    for (coir::fiber& client : clients)
        client.join();
    server.join();
    ::close(listening_fd);

    for (const std::string& answer : answers)
        std::fputs(answer.c_str(), stdout);
    std::printf("%zu lines are in the register\n", register_of_lines.size());
    return 0;
}

int main() { return coir::run(serve_and_ask); }
