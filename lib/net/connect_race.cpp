// SPDX-License-Identifier: BSL-1.0
#include "net/connect_race.hpp"

#include "base/system_calls.hpp"
#include "core/waiter.hpp"
#include "net/net_error.hpp"
#include "reactor/completions.hpp"
#include "reactor/readiness_bit.hpp"
#include "reactor/wait_io.hpp"

#include <poll.h>
#include <algorithm>
#include <stdexcept>

namespace coir::detail {

std::vector<net::endpoint> interleave_families(const std::vector<net::endpoint>& endpoints) {
    std::vector<net::endpoint> order;
    order.reserve(endpoints.size());
    const auto version_of = [&](std::size_t i) {
        return endpoints[i].address().version();
    };
    // Two cursors: over the first endpoint's family and over the other one.
    std::size_t cursor[2] = {0, 0};
    for (std::size_t turn = 0; order.size() < endpoints.size(); turn = 1 - turn) {
        std::size_t& i = cursor[turn];
        while (i < endpoints.size() && (version_of(i) == version_of(0)) != (turn == 0)) {
            ++i;
        }
        if (i < endpoints.size()) {
            order.push_back(endpoints[i++]);
        }
    }
    return order;
}

connect_race::connect_race(const std::vector<net::endpoint>& endpoints,
                           std::chrono::nanoseconds attempt_delay)
    : order_(interleave_families(endpoints)), attempt_delay_(attempt_delay) {
    if (endpoints.empty()) {
        throw std::invalid_argument("coir::net::connect_any: there are no endpoints");
    }
    attempts_.reserve(order_.size());
}

net::tcp_socket connect_race::run() {
    check_cancelled();
    bool has_waited = false;
    for (;;) {
        if (!all_started() && (!any_pending() || next_start_.has_passed())) {
            start_next();
        } else if (any_pending()) {
            wait();
            has_waited = true;
            look_at_all();
        } else {
            error_ = attempts_.front().error();
            return {};
        }
        if (connect_attempt* const first = winner()) {
            if (!has_waited) {
                spend_budget();
            }
            return first->take();
        }
    }
}

void connect_race::start_next() {
    attempts_.emplace_back(order_[attempts_.size()]);
    attempts_.back().start();
    next_start_ =
        attempts_.back().error() ? deadline::immediately() : deadline::after(attempt_delay_);
}

// Until an attempt may have an outcome, or the next one is due.
void connect_race::wait() {
    std::vector<io_interest> interests;
    interests.reserve(attempts_.size());
    // Where the backend makes the calls, nobody waits for readiness after this.
    const descriptor_kind kind = io_completes() ? descriptor_kind::foreign : descriptor_kind::owned;
    for (const connect_attempt& attempt : attempts_) {
        if (attempt.pending()) {
            readiness_bit(attempt.descriptor(), direction::write).clear();
            interests.push_back({attempt.descriptor(), direction::write, kind});
        }
    }
    const deadline until = all_started() ? deadline::never() : next_start_;
    const io_result result = wait_io_any(interests.data(), interests.size(), until);
    if (result.status == wait_status::cancelled) {
        check_cancelled();
    }
    if (result.error != 0) {  // no wait is possible: out of memory, or of room in the poller
        for (connect_attempt& attempt : attempts_) {
            if (attempt.pending()) {
                attempt.fail({result.error, std::system_category()});
            }
        }
    }
}

// Asks the kernel which attempts have come to their end; a wait tells only that some may have.
void connect_race::look_at_all() {
    std::vector<pollfd> polled;
    polled.reserve(attempts_.size());
    for (const connect_attempt& attempt : attempts_) {
        polled.push_back({attempt.pending() ? attempt.descriptor() : -1, POLLOUT, 0});
    }
    if (sys.poll(polled.data(), polled.size(), 0) <= 0) {
        return;
    }
    for (std::size_t i = 0; i < polled.size(); ++i) {
        if (polled[i].revents != 0) {
            attempts_[i].finish();
            if (attempts_[i].error()) {
                next_start_ = deadline::immediately();
            }
        }
    }
}

bool connect_race::any_pending() const noexcept {
    return std::any_of(attempts_.begin(), attempts_.end(),
                       [](const connect_attempt& a) { return a.pending(); });
}

connect_attempt* connect_race::winner() noexcept {
    const auto found = std::find_if(attempts_.begin(), attempts_.end(),
                                    [](connect_attempt& a) { return !a.pending() && !a.error(); });
    return found == attempts_.end() ? nullptr : &*found;
}

std::string connect_race::describe_failures() const {
    if (attempts_.size() == 1) {
        return attempts_.front().target().to_string();
    }
    std::string text;
    for (const connect_attempt& attempt : attempts_) {
        text += text.empty() ? "any of " : "; ";
        text += with_limit(attempt.target().to_string(), attempt.error()) + ": " +
                attempt.error().message();
    }
    return text;
}

}  // namespace coir::detail
