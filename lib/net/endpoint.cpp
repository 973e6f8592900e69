// SPDX-License-Identifier: BSL-1.0
#include <coir/net/endpoint.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <algorithm>
#include <charconv>
#include <cstring>
#include <ostream>
#include <stdexcept>

namespace coir::net {
namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc() || rest != end) {
        return std::nullopt;
    }
    return number;
}

// An interface of a link-local address (RFC 4007): by number, or by a name that exists now.
std::optional<std::uint32_t> parse_scope(std::string_view text) {
    if (const auto number = parse_number<std::uint32_t>(text)) {
        return number;
    }
    const std::uint32_t index = if_nametoindex(std::string(text).c_str());
    return index != 0 ? std::optional(index) : std::nullopt;
}

// What is wrong with an endpoint's text, for people; null if nothing is.
const char* read_endpoint(std::string_view text, endpoint& result) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return "there is no port, as in 127.0.0.1:80";
    }
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return "an IPv6 address is written in brackets, as in [::1]:80";
    }
    const auto address = ip_address::try_parse(host);
    if (!address || address->is_v6() != bracketed) {
        return bracketed ? "what is in brackets is no IPv6 address" : "the host is no IPv4 address";
    }
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    if (!port) {
        return "the port is no number from 0 to 65535";
    }
    result = endpoint(*address, *port);
    return nullptr;
}

std::size_t mix(std::size_t seed, std::size_t value) noexcept {
    // splitmix64's finalizer: addresses of one network differ in a few low bits only.
    std::uint64_t x = seed + 0x9e3779b97f4a7c15U + value;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>(x ^ (x >> 31));
}

}  // namespace

ip_address ip_address::v4(const std::array<std::uint8_t, 4>& bytes) noexcept {
    ip_address a;
    std::copy(bytes.begin(), bytes.end(), a.bytes_.begin());
    return a;
}

ip_address ip_address::v6(const std::array<std::uint8_t, 16>& bytes,
                          std::uint32_t scope_id) noexcept {
    ip_address a;
    a.bytes_ = bytes;
    a.scope_id_ = scope_id;
    a.version_ = ip_version::v6;
    return a;
}

ip_address ip_address::any(ip_version version) noexcept {
    return version == ip_version::v4 ? ip_address() : v6({});
}

ip_address ip_address::loopback(ip_version version) noexcept {
    return version == ip_version::v4 ? v4({127, 0, 0, 1})
                                     : v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

std::optional<ip_address> ip_address::try_parse(std::string_view text) {
    std::uint32_t scope_id = 0;
    const std::size_t percent = text.find('%');
    if (percent != std::string_view::npos) {
        const auto scope = parse_scope(text.substr(percent + 1));
        if (!scope) {
            return std::nullopt;
        }
        scope_id = *scope;
        text = text.substr(0, percent);
    }
    char terminated[INET6_ADDRSTRLEN];
    if (text.size() >= sizeof(terminated) || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    terminated[text.copy(terminated, text.size())] = '\0';
    std::array<std::uint8_t, 16> bytes{};
    if (inet_pton(AF_INET6, terminated, bytes.data()) == 1) {
        return v6(bytes, scope_id);
    }
    std::array<std::uint8_t, 4> few{};
    if (percent == std::string_view::npos && inet_pton(AF_INET, terminated, few.data()) == 1) {
        return v4(few);
    }
    return std::nullopt;
}

ip_address ip_address::parse(std::string_view text) {
    if (const auto address = try_parse(text)) {
        return *address;
    }
    throw std::invalid_argument("coir::net::ip_address: '" + std::string(text) +
                                "' is no IPv4 or IPv6 address");
}

std::string ip_address::to_string() const {
    char text[INET6_ADDRSTRLEN];
    inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text, sizeof(text));
    std::string result = text;
    if (scope_id_ != 0) {
        result += '%' + std::to_string(scope_id_);  // a number still means something elsewhere
    }
    return result;
}

std::optional<endpoint> endpoint::try_parse(std::string_view text) {
    endpoint result;
    return read_endpoint(text, result) == nullptr ? std::optional(result) : std::nullopt;
}

endpoint endpoint::parse(std::string_view text) {
    endpoint result;
    if (const char* const wrong = read_endpoint(text, result)) {
        throw std::invalid_argument("coir::net::endpoint: '" + std::string(text) + "': " + wrong);
    }
    return result;
}

std::string endpoint::to_string() const {
    const std::string host = address_.to_string();
    return (address_.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(port_);
}

std::ostream& operator<<(std::ostream& out, const ip_address& address) {
    return out << address.to_string();
}

std::ostream& operator<<(std::ostream& out, const endpoint& e) { return out << e.to_string(); }

}  // namespace coir::net

std::size_t std::hash<coir::net::ip_address>::operator()(
    const coir::net::ip_address& address) const noexcept {
    std::uint64_t halves[2];
    static_assert(sizeof(halves) == sizeof(address.bytes()));
    std::memcpy(halves, address.bytes().data(), sizeof(halves));
    std::size_t result = coir::net::mix(address.scope_id(), address.is_v6() ? 1 : 0);
    for (const std::uint64_t half : halves) {
        result = coir::net::mix(result, static_cast<std::size_t>(half));
    }
    return result;
}

std::size_t std::hash<coir::net::endpoint>::operator()(
    const coir::net::endpoint& e) const noexcept {
    return coir::net::mix(std::hash<coir::net::ip_address>()(e.address()), e.port());
}
