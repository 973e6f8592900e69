// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/net/endpoint.hpp>
#include <coir/net/tcp_socket.hpp>

#include <system_error>

namespace coir::detail {

// One connect(2), from its start to its outcome: pending, then connected or failed. Ended before
// that, it closes its socket.
class connect_attempt {
public:
    explicit connect_attempt(const net::endpoint& to) noexcept;

    bool pending() const noexcept { return pending_; }
    int descriptor() const noexcept { return socket_.native_handle(); }
    const net::endpoint& target() const noexcept { return target_; }

    // Waits until there may be an outcome, and looks. Throws operation_cancelled.
    void wait();

    // Takes note of the outcome. To be called when the descriptor is writable.
    void finish() noexcept;

    // Fails for a reason of the caller's.
    void fail(std::error_code error) noexcept;

    // Why it failed; no error while it is pending and when it is connected.
    std::error_code error() const noexcept { return error_; }

    // The connected socket; a closed one if there is an error.
    net::tcp_socket take() noexcept { return std::move(socket_); }

private:
    net::endpoint target_;
    net::tcp_socket socket_;
    std::error_code error_;
    bool pending_ = false;
};

}  // namespace coir::detail
