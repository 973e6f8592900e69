// SPDX-License-Identifier: BSL-1.0
#include <coir/net/connect_any.hpp>

#include "net/connect_race.hpp"
#include "net/net_error.hpp"

namespace coir::net {

tcp_socket connect_any(const std::vector<endpoint>& endpoints, std::error_code& ec,
                       std::chrono::nanoseconds attempt_delay) {
    detail::connect_race race(endpoints, attempt_delay);
    tcp_socket winner = race.run();
    ec = race.error();
    return winner;
}

tcp_socket connect_any(const std::vector<endpoint>& endpoints,
                       std::chrono::nanoseconds attempt_delay) {
    detail::connect_race race(endpoints, attempt_delay);
    tcp_socket winner = race.run();
    if (race.error()) {
        detail::throw_net_error("connect to " + race.describe_failures(), race.error());
    }
    return winner;
}

}  // namespace coir::net
