// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

/// @brief Sockets, names and connections.
namespace coir::net {

/// @brief The version of an IP address.
enum class ip_version : std::uint8_t { v4, v6 };

/// @brief An IPv4 or IPv6 address. A value type; the default is 0.0.0.0.
class COIR_API ip_address {
public:
    /// Makes 0.0.0.0.
    constexpr ip_address() noexcept = default;

    /// Makes an IPv4 address of bytes in network order: `v4({127, 0, 0, 1})`.
    static ip_address v4(const std::array<std::uint8_t, 4>& bytes) noexcept;

    /// Makes an IPv6 address of bytes in network order. `scope_id` is the interface of a link-local
    /// address, else 0.
    static ip_address v6(const std::array<std::uint8_t, 16>& bytes,
                         std::uint32_t scope_id = 0) noexcept;

    /// @returns the address that a listener on all interfaces has: 0.0.0.0 or ::.
    static ip_address any(ip_version version = ip_version::v4) noexcept;

    /// @returns 127.0.0.1 or ::1.
    static ip_address loopback(ip_version version = ip_version::v4) noexcept;

    /// Reads "127.0.0.1", "::1" or, with an interface's name or number, "fe80::1%eth0".
    /// @throws std::invalid_argument that names the text.
    static ip_address parse(std::string_view text);

    /// Reads as parse() does. @returns nothing where that throws.
    static std::optional<ip_address> try_parse(std::string_view text);

    ip_version version() const noexcept { return version_; }            ///< @returns 4 or 6
    bool is_v4() const noexcept { return version_ == ip_version::v4; }  ///< @returns if IPv4
    bool is_v6() const noexcept { return version_ == ip_version::v6; }  ///< @returns if IPv6
    std::uint32_t scope_id() const noexcept { return scope_id_; }       ///< @returns it, or 0

    /// @returns the bytes in network order; of an IPv4 address the first four count.
    const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }

    /// @returns the text that parse() reads, an IPv6 address as RFC 5952 writes it.
    std::string to_string() const;

    /// Compares; every IPv4 address comes before every IPv6 address.
    friend bool operator==(const ip_address& a, const ip_address& b) noexcept {
        return a.key() == b.key();
    }
    friend bool operator!=(const ip_address& a, const ip_address& b) noexcept { return !(a == b); }
    friend bool operator<(const ip_address& a, const ip_address& b) noexcept {
        return a.key() < b.key();
    }

private:
    std::tuple<const ip_version&, const std::array<std::uint8_t, 16>&, const std::uint32_t&> key()
        const noexcept {
        return {version_, bytes_, scope_id_};
    }

    std::array<std::uint8_t, 16> bytes_{};  // zero past the end of an IPv4 address
    std::uint32_t scope_id_ = 0;
    ip_version version_ = ip_version::v4;
};

/// @brief Where a TCP or UDP socket is: an address and a port. A value type; the default is
/// 0.0.0.0:0.
class COIR_API endpoint {
public:
    /// Makes 0.0.0.0:0.
    constexpr endpoint() noexcept = default;

    /// Makes an endpoint. A listener's port 0 means any free one.
    endpoint(const ip_address& address, std::uint16_t port) noexcept
        : address_(address), port_(port) {}

    /// Reads "127.0.0.1:8080" or "[::1]:8080".
    /// @throws std::invalid_argument that names the text and says what is wrong with it.
    static endpoint parse(std::string_view text);

    /// Reads as parse() does. @returns nothing where that throws.
    static std::optional<endpoint> try_parse(std::string_view text);

    const ip_address& address() const noexcept { return address_; }  ///< @returns the address
    std::uint16_t port() const noexcept { return port_; }            ///< @returns the port

    /// @returns the text that parse() reads.
    std::string to_string() const;

    /// Compares by address, then by port.
    friend bool operator==(const endpoint& a, const endpoint& b) noexcept {
        return a.address_ == b.address_ && a.port_ == b.port_;
    }
    friend bool operator!=(const endpoint& a, const endpoint& b) noexcept { return !(a == b); }
    friend bool operator<(const endpoint& a, const endpoint& b) noexcept {
        return a.address_ == b.address_ ? a.port_ < b.port_ : a.address_ < b.address_;
    }

private:
    ip_address address_;
    std::uint16_t port_ = 0;
};

/// Prints to_string().
COIR_API std::ostream& operator<<(std::ostream& out, const ip_address& address);
/// Prints to_string().
COIR_API std::ostream& operator<<(std::ostream& out, const endpoint& e);

}  // namespace coir::net

/// @brief So that addresses can be keys of unordered containers.
template <>
struct COIR_API std::hash<coir::net::ip_address> {
    /// @returns the hash.
    std::size_t operator()(const coir::net::ip_address& address) const noexcept;
};

/// @brief So that endpoints can be keys of unordered containers.
template <>
struct COIR_API std::hash<coir::net::endpoint> {
    /// @returns the hash.
    std::size_t operator()(const coir::net::endpoint& e) const noexcept;
};
