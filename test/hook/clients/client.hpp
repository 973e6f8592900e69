// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace coir::test {

// What a client library says when a call has failed.
class client_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// How many calls at once a server bears, and why not more.
struct capacity {
    std::size_t calls;
    const char* because;
};

constexpr capacity hundreds(const char* because) { return {100, because}; }
constexpr capacity thousands() { return {4000, ""}; }

// One row of the matrix: a client library as it is, and the server that it talks to; or calls of
// libc's that wait for somebody else. Nothing in an implementation knows of fibers.
class client {
public:
    client() = default;
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    virtual ~client() = default;

    virtual std::string name() const = 0;

    // The program or file that this machine lacks; empty if nothing.
    virtual std::string missing() const { return {}; }

    // What is measured, by its versions; for who reads the table.
    virtual std::string versions() const { return {}; }

    // The server, as a child of this process. start() returns when it answers.
    virtual bool has_server() const { return true; }
    virtual void start() {}
    virtual void kill() {}

    // Connects, has the server answer after `delay`, checks the answer, closes.
    virtual void call(std::chrono::milliseconds delay) = 0;

    // A delay that no measurement waits for.
    virtual std::chrono::milliseconds endless() const { return std::chrono::seconds(30); }

    virtual capacity most_at_once() const { return thousands(); }
};

using client_list = std::vector<std::unique_ptr<client>>;

// Each adds what its library has; which are compiled in is decided by what is installed.
void add_libpq(client_list& clients);
void add_mariadb(client_list& clients);
void add_hiredis(client_list& clients);
void add_curl(client_list& clients);
void add_openssl(client_list& clients);
void add_memcached(client_list& clients);
void add_beast(client_list& clients);
void add_libssh2(client_list& clients);
void add_rabbitmq(client_list& clients);
void add_name_service(client_list& clients);
void add_commands(client_list& clients);
void add_streams(client_list& clients);

}  // namespace coir::test
