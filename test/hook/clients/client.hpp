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

// One row of the matrix: a client library as it is, and the server that it talks to. Nothing in an
// implementation knows of fibers.
class client {
public:
    client() = default;
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    virtual ~client() = default;

    virtual std::string name() const = 0;

    // The program or file that this machine lacks; empty if nothing.
    virtual std::string missing() const { return {}; }

    // The server, as a child of this process. start() returns when it answers.
    virtual void start() = 0;
    virtual void kill() = 0;

    // Connects, has the server answer after `delay`, checks the answer, closes.
    virtual void call(std::chrono::milliseconds delay) = 0;

    // How many calls the server bears at once.
    virtual std::size_t most_at_once() const { return 100; }
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

}  // namespace coir::test
