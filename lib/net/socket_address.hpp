// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/net/endpoint.hpp>

#include <sys/socket.h>

namespace coir::detail {

// An endpoint as system calls want it.
class socket_address {
public:
    // Room for a system call to write an address into.
    socket_address() noexcept : size_(sizeof(storage_)) {}

    explicit socket_address(const net::endpoint& e) noexcept;

    // What a system call, or getaddrinfo, has given.
    socket_address(const sockaddr* address, socklen_t size) noexcept;

    sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage_); }
    const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t* size_address() noexcept { return &size_; }
    socklen_t size() const noexcept { return size_; }
    int family() const noexcept { return storage_.ss_family; }

    // Whether it is of a family that an endpoint can be of.
    bool is_ip() const noexcept;

    // 0.0.0.0:0 if it is not.
    net::endpoint to_endpoint() const noexcept;

private:
    sockaddr_storage storage_{};
    socklen_t size_;
};

}  // namespace coir::detail
