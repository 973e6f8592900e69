// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "net/connect_attempt.hpp"

#include <coir/deadline.hpp>
#include <coir/net/endpoint.hpp>
#include <coir/net/tcp_socket.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

namespace coir::detail {

// The endpoints in the order in which RFC 8305, section 4, tries them: as given, but the address
// families take turns, the first one's first.
std::vector<net::endpoint> interleave_families(const std::vector<net::endpoint>& endpoints);

// The race of RFC 8305. It needs no fiber for each address: attempts are started without waiting,
// and one wait stands for all of them and for the start of the next one. So it works the same on a
// plain thread, and a caller that is cancelled leaves nothing behind that could go on.
class connect_race {
public:
    connect_race(const std::vector<net::endpoint>& endpoints,
                 std::chrono::nanoseconds attempt_delay);

    // Runs to the end, once. A closed socket if all fail. Throws operation_cancelled.
    net::tcp_socket run();

    // The first endpoint's error if all have failed.
    std::error_code error() const noexcept { return error_; }

    // "[::1]:80: Connection refused; 127.0.0.1:80: ..."; one endpoint alone stands without its
    // error.
    std::string describe_failures() const;

private:
    void start_next();
    void wait();
    void look_at_all();
    bool all_started() const noexcept { return attempts_.size() == order_.size(); }
    bool any_pending() const noexcept;
    connect_attempt* winner() noexcept;

    std::vector<net::endpoint> order_;
    std::chrono::nanoseconds attempt_delay_;
    std::vector<connect_attempt> attempts_;  // of the endpoints at the same places of order_
    deadline next_start_ = deadline::immediately();
    std::error_code error_;
};

}  // namespace coir::detail
