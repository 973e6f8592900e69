// SPDX-License-Identifier: BSL-1.0
#include "net/socket_address.hpp"

#include <netinet/in.h>
#include <algorithm>
#include <array>
#include <cstring>

namespace coir::detail {

// Structures are copied in and out of the storage: to look at it as another type is not allowed.
socket_address::socket_address(const net::endpoint& e) noexcept {
    const auto& bytes = e.address().bytes();
    if (e.address().is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(e.port());
        std::memcpy(&v4.sin_addr, bytes.data(), sizeof(v4.sin_addr));
        std::memcpy(&storage_, &v4, sizeof(v4));
        size_ = sizeof(v4);
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(e.port());
        v6.sin6_scope_id = e.address().scope_id();
        std::memcpy(&v6.sin6_addr, bytes.data(), sizeof(v6.sin6_addr));
        std::memcpy(&storage_, &v6, sizeof(v6));
        size_ = sizeof(v6);
    }
}

socket_address::socket_address(const sockaddr* address, socklen_t size) noexcept
    : size_(std::min(size, static_cast<socklen_t>(sizeof(storage_)))) {
    std::memcpy(&storage_, address, size_);
}

bool socket_address::is_ip() const noexcept {
    return (storage_.ss_family == AF_INET && size_ >= sizeof(sockaddr_in)) ||
           (storage_.ss_family == AF_INET6 && size_ >= sizeof(sockaddr_in6));
}

net::endpoint socket_address::to_endpoint() const noexcept {
    if (!is_ip()) {
        return {};
    }
    if (storage_.ss_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &storage_, sizeof(v4));
        std::array<std::uint8_t, 4> bytes;
        std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
        return {net::ip_address::v4(bytes), ntohs(v4.sin_port)};
    }
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage_, sizeof(v6));
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return {net::ip_address::v6(bytes, v6.sin6_scope_id), ntohs(v6.sin6_port)};
}

}  // namespace coir::detail
