// SPDX-License-Identifier: BSL-1.0
#include <coir/net/resolve.hpp>

#include "base/system_calls.hpp"
#include "core/waiter.hpp"
#include "net/net_error.hpp"
#include "net/socket_address.hpp"

#include <coir/blocking.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

namespace coir::net {
namespace {

class category_of_resolve final : public std::error_category {
public:
    const char* name() const noexcept override { return "coir.resolve"; }
    std::string message(int value) const override {
        switch (static_cast<resolve_errc>(value)) {
            case resolve_errc::host_not_found: return "host not found";
            case resolve_errc::no_address: return "the host has no address";
            case resolve_errc::try_again: return "no name server answers, try again";
            case resolve_errc::failed: return "a name server failed";
            case resolve_errc::service_not_found: return "service not found";
            case resolve_errc::other: return "the name cannot be resolved";
        }
        return "error " + std::to_string(value);
    }
};

std::error_code to_error_code(int eai, int saved_errno) noexcept {
    switch (eai) {
        case 0: return {};
        case EAI_NONAME: return resolve_errc::host_not_found;
#ifdef EAI_NODATA
        case EAI_NODATA: return resolve_errc::no_address;
#endif
#ifdef EAI_ADDRFAMILY
        case EAI_ADDRFAMILY: return resolve_errc::no_address;
#endif
        case EAI_AGAIN: return resolve_errc::try_again;
        case EAI_FAIL: return resolve_errc::failed;
        case EAI_SERVICE: return resolve_errc::service_not_found;
        case EAI_MEMORY: return {ENOMEM, std::system_category()};
        case EAI_SYSTEM: return {saved_errno, std::system_category()};
        default: return resolve_errc::other;
    }
}

struct answer {
    std::error_code error;
    std::vector<endpoint> endpoints;
};

// Blocks the thread. Owns what it uses: it may outlive whoever asked.
answer ask_system(const std::string& host, const std::string& service) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    addrinfo* list = nullptr;
    const int eai = detail::sys.getaddrinfo(host.c_str(), service.c_str(), &hints, &list);
    const int saved_errno = errno;
    if (eai != 0) {
        return {to_error_code(eai, saved_errno), {}};
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, detail::sys.freeaddrinfo);
    answer result;
    for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
        const detail::socket_address address(one->ai_addr, one->ai_addrlen);
        const endpoint found = address.to_endpoint();
        auto& all = result.endpoints;
        if (address.is_ip() && std::find(all.begin(), all.end(), found) == all.end()) {
            all.push_back(found);
        }
    }
    if (result.endpoints.empty()) {
        result.error = resolve_errc::no_address;
    }
    return result;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, port);
    return error == std::errc() && rest == end && !text.empty() ? std::optional(port)
                                                                : std::nullopt;
}

// The services that nearly every caller means. A small system has no /etc/services (Debian has it
// in a package of its own), and should reach a web site all the same.
std::optional<std::uint16_t> well_known_port(std::string_view service) {
    if (service == "http") {
        return std::uint16_t{80};
    }
    if (service == "https") {
        return std::uint16_t{443};
    }
    return std::nullopt;
}

}  // namespace

const std::error_category& resolve_category() noexcept {
    static const category_of_resolve category;
    return category;
}

std::vector<endpoint> resolve(const std::string& host, const std::string& service,
                              std::error_code& ec) {
    detail::check_cancelled();
    ec.clear();
    // libc would take the text before a zero byte for the whole; and an empty host for our own.
    if (host.empty() || host.find('\0') != std::string::npos) {
        ec = resolve_errc::host_not_found;
        return {};
    }
    if (service.empty() || service.find('\0') != std::string::npos) {
        ec = resolve_errc::service_not_found;
        return {};
    }
    auto port = parse_port(service);
    if (!port) {
        port = well_known_port(service);
    }
    const auto address = ip_address::try_parse(host);
    if (address && port) {
        detail::spend_budget();
        return {endpoint(*address, *port)};
    }
    answer got =
        run_blocking(abandon_on_cancel, ask_system, host, port ? std::to_string(*port) : service);
    ec = got.error;
    return std::move(got.endpoints);
}

std::vector<endpoint> resolve(const std::string& host, const std::string& service) {
    std::error_code ec;
    std::vector<endpoint> endpoints = resolve(host, service, ec);
    if (ec) {
        detail::throw_net_error("resolve host '" + host + "', service '" + service + '\'', ec);
    }
    return endpoints;
}

}  // namespace coir::net
