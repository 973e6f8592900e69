// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/net/endpoint.hpp>
#include <coir/net/tcp_socket.hpp>

#include <system_error>
#include <utility>

namespace coir::net {

/// @brief What can be chosen for a tcp_listener.
struct listen_options {
    /// How many connections the kernel completes ahead of accept(); it caps the number itself
    /// (Linux: `net.core.somaxconn`).
    int backlog = 4096;

    /// Listens although connections of an earlier listener on this port linger (`SO_REUSEADDR`).
    bool reuse_address = true;

    /// Lets other listeners, of this user, have the same port (`SO_REUSEPORT`).
    bool reuse_port = false;

    /// Whether a listener on an IPv6 address refuses IPv4 (`IPV6_V6ONLY`). Off, "[::]:80" takes
    /// both.
    bool v6_only = false;
};

/// @brief A TCP socket that listens: accept() gives its connections. See serve() for the usual
/// loop.
///
/// @suspends accept(), where no connection is there.
/// @threadsafety As tcp_socket: any fibers and threads may accept from one listener at once, but
/// none may be in accept() when another thread closes, moves or destroys it. Cancel them, and join.
/// @errors The constructor: address_in_use, permission_denied, address_not_available. accept():
/// too_many_files_open, not_enough_memory, with a message that names the limit and its knob;
/// bad_file_descriptor where the listener is or gets closed. A connection that failed before it was
/// accepted is nobody's error: the next one is awaited.
/// @cancellation accept() is a cancellation point.
/// @lifetime Must outlive the calls on it.
/// @example `samples/04_echo_server.cpp`
class COIR_API tcp_listener {
public:
    /// Makes a closed listener.
    tcp_listener() noexcept = default;

    /// Listens on `on`; port 0 takes a free one, see local_endpoint().
    explicit tcp_listener(const endpoint& on, const listen_options& options = {});

    /// Takes the descriptor over; `other` is closed after.
    tcp_listener(tcp_listener&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)),
          local_(other.local_),
          options_(other.options_) {}
    /// Closes this listener, and takes the descriptor over.
    tcp_listener& operator=(tcp_listener&& other) noexcept;
    ~tcp_listener() { close(); }

    /// Waits for a connection. @returns an open socket; with `ec` and an error, a closed one.
    tcp_socket accept();
    /// @copybrief accept()
    tcp_socket accept(std::error_code& ec);

    /// Stops listening. The accept() of other fibers of this carrier fails with
    /// bad_file_descriptor; connections that were accepted are not touched.
    void close() noexcept;

    /// @returns whether it listens.
    bool is_open() const noexcept { return descriptor_ >= 0; }

    /// @returns where it listens or has listened, with the port that was taken.
    const endpoint& local_endpoint() const noexcept { return local_; }

    /// @returns what it was made with.
    const listen_options& options() const noexcept { return options_; }

    /// @returns the descriptor, which stays the listener's; -1 if closed. It is non-blocking.
    int native_handle() const noexcept { return descriptor_; }

private:
    int descriptor_ = -1;
    endpoint local_;
    listen_options options_;
};

}  // namespace coir::net
