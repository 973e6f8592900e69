// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/net/endpoint.hpp>
#include <coir/net/tcp_socket.hpp>

#include <system_error>

namespace coir::detail {

struct io_operation;

// One connect(2), from its start to its outcome: pending, then connected or failed. Ended before
// that, it closes its socket.
class connect_attempt {
public:
    // Makes the socket.
    explicit connect_attempt(const net::endpoint& to) noexcept;

    // From the start to the outcome, waiting if need be. Throws operation_cancelled.
    void run();

    // The start alone.
    void start() noexcept;

    bool pending() const noexcept { return pending_; }
    int descriptor() const noexcept { return socket_.native_handle(); }
    const net::endpoint& target() const noexcept { return target_; }

    // Takes note of the outcome. To be called when the descriptor is writable.
    void finish() noexcept;

    // Fails for a reason of the caller's.
    void fail(std::error_code error) noexcept;

    // Why it failed; no error while it is pending and when it is connected.
    std::error_code error() const noexcept { return error_; }

    // The connected socket; a closed one if there is an error.
    net::tcp_socket take() noexcept { return std::move(socket_); }

private:
    void wait();
    void leave_to_backend(io_operation& connect);

    net::endpoint target_;
    net::tcp_socket socket_;
    std::error_code error_;
    bool pending_ = false;
};

}  // namespace coir::detail
