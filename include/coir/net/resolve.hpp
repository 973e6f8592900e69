// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/net/endpoint.hpp>

#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace coir::net {

/// @brief Why a name could not be resolved. Category "coir.resolve".
enum class resolve_errc {
    host_not_found = 1,  ///< there is no such name
    no_address,          ///< the name exists but has no address
    try_again,           ///< no name server has answered; it may work later
    failed,              ///< a name server has failed for good
    service_not_found,   ///< no such service, or none for TCP
    other,               ///< something else that getaddrinfo(3) has to say
};

/// @returns the category of resolve_errc; its name is "coir.resolve".
COIR_API const std::error_category& resolve_category() noexcept;

/// @returns `e` as a std::error_code.
inline std::error_code make_error_code(resolve_errc e) noexcept {
    return {static_cast<int>(e), resolve_category()};
}

/// Asks the system's name service (getaddrinfo(3)) for the endpoints of a name: `host` is a name or
/// an address, `service` a name such as "http" or a port. An address with a port needs no asking.
///
/// It runs on the blocking pool: other fibers run meanwhile. On a plain thread it blocks.
/// @returns at least one endpoint, in the order of RFC 6724, without duplicates.
/// @throws std::system_error whose code is a resolve_errc (or the system's) and whose message names
/// both host and service.
/// @throws operation_cancelled; the question is then abandoned, and its answer dropped.
COIR_API std::vector<endpoint> resolve(const std::string& host, const std::string& service);

/// @copybrief resolve(const std::string&, const std::string&)
/// @returns nothing if there was an error.
COIR_API std::vector<endpoint> resolve(const std::string& host, const std::string& service,
                                       std::error_code& ec);

}  // namespace coir::net

template <>
struct std::is_error_code_enum<coir::net::resolve_errc> : std::true_type {};
