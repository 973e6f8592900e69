// SPDX-License-Identifier: BSL-1.0
#include <coir/net/open_connection.hpp>

#include "net/connect_race.hpp"
#include "net/net_error.hpp"

#include <coir/net/resolve.hpp>

namespace coir::net {

tcp_connection open_connection(const std::string& host, const std::string& service,
                               const connection_options& options) {
    detail::connect_race race(resolve(host, service), options.attempt_delay);
    tcp_socket winner = race.run();
    if (race.error()) {
        detail::throw_net_error("connect to host '" + host + "', service '" + service + "', " +
                                    race.describe_failures(),
                                race.error());
    }
    return tcp_connection(std::move(winner), options.limits);
}

tcp_connection open_connection(const std::string& host, const std::string& service,
                               std::error_code& ec, const connection_options& options) {
    const std::vector<endpoint> endpoints = resolve(host, service, ec);
    return tcp_connection(ec ? tcp_socket() : connect_any(endpoints, ec, options.attempt_delay),
                          options.limits);
}

tcp_connection open_connection(const endpoint& to, const connection_options& options) {
    return tcp_connection(tcp_socket::connect(to), options.limits);
}

tcp_connection open_connection(const endpoint& to, std::error_code& ec,
                               const connection_options& options) {
    return tcp_connection(tcp_socket::connect(to, ec), options.limits);
}

}  // namespace coir::net
