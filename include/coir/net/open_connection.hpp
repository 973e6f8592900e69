// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/io/buffered_stream.hpp>
#include <coir/net/connect_any.hpp>
#include <coir/net/endpoint.hpp>
#include <coir/net/serve.hpp>
#include <coir/net/tcp_socket.hpp>

#include <chrono>
#include <string>
#include <system_error>

namespace coir::net {

/// @brief What can be chosen for open_connection().
struct connection_options {
    /// How much memory the peer can make the connection use.
    io::buffer_limits limits;

    /// When the next address of a host is tried beside one that has not answered.
    std::chrono::nanoseconds attempt_delay = default_attempt_delay;
};

/// @brief A TCP connection with buffers: asyncio's reader and writer in one.
using tcp_connection = io::buffered_stream<tcp_socket>;

/// Resolves a host and connects to the first of its addresses that answers: resolve(),
/// connect_any().
///
/// @code
/// auto connection = coir::net::open_connection("example.org", "http");
/// @endcode
/// @throws std::system_error, with resolve_errc where it was the name, and a message that names the
/// host, the service and each address that was tried.
/// @throws operation_cancelled
COIR_API tcp_connection open_connection(const std::string& host, const std::string& service,
                                        const connection_options& options = {});

/// @copybrief open_connection(const std::string&, const std::string&, const connection_options&)
/// @returns an open connection, or one whose stream is closed if there was an error.
COIR_API tcp_connection open_connection(const std::string& host, const std::string& service,
                                        std::error_code& ec,
                                        const connection_options& options = {});

/// Connects to an endpoint. @throws std::system_error, operation_cancelled
COIR_API tcp_connection open_connection(const endpoint& to, const connection_options& options = {});

/// @copybrief open_connection(const endpoint&, const connection_options&)
/// @returns an open connection, or one whose stream is closed if there was an error.
COIR_API tcp_connection open_connection(const endpoint& to, std::error_code& ec,
                                        const connection_options& options = {});

}  // namespace coir::net
