// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/net/endpoint.hpp>
#include <coir/net/tcp_socket.hpp>

#include <chrono>
#include <system_error>
#include <vector>

namespace coir::net {

/// The time that a connection attempt has before the next one is started beside it, as RFC 8305
/// recommends.
inline constexpr std::chrono::milliseconds default_attempt_delay{250};

/// Connects to the first of several endpoints of one host that answers, as RFC 8305 ("Happy
/// Eyeballs") says: they are tried in turn, with the two address families interleaved, and the next
/// one is started when one has failed or `attempt_delay` has passed. The first connection wins, the
/// others are closed.
///
/// Most programs want open_connection(). Works on a plain thread as well.
/// @returns an open socket.
/// @throws std::system_error if all fail: its code is that of the first endpoint, its message lists
/// each endpoint and its error. @throws std::invalid_argument if `endpoints` is empty.
/// @throws operation_cancelled
COIR_API tcp_socket connect_any(const std::vector<endpoint>& endpoints,
                                std::chrono::nanoseconds attempt_delay = default_attempt_delay);

/// @copybrief connect_any(const std::vector<endpoint>&, std::chrono::nanoseconds)
/// @returns an open socket, or a closed one if there was an error.
COIR_API tcp_socket connect_any(const std::vector<endpoint>& endpoints, std::error_code& ec,
                                std::chrono::nanoseconds attempt_delay = default_attempt_delay);

}  // namespace coir::net
