// SPDX-License-Identifier: BSL-1.0
#include "reactor/poller.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace coir::detail {

namespace {

reactor_kind override_by_environment(reactor_kind kind) {
    const char* const text = std::getenv("COIR_REACTOR");
    const std::string_view name = text != nullptr ? text : "";
    if (name.empty()) {
        return kind;
    }
    if (name == "poll") {
        return reactor_kind::poll;
    }
    if (name == "epoll") {
        return reactor_kind::epoll;
    }
    throw std::invalid_argument("coir: the environment variable COIR_REACTOR is '" +
                                std::string(name) + "'; it may be 'poll' or 'epoll'");
}

}  // namespace

std::unique_ptr<poller> make_poller(reactor_kind kind) {
    kind = override_by_environment(kind);
#ifdef __linux__
    if (kind != reactor_kind::poll) {
        return make_epoll_poller();
    }
#else
    if (kind == reactor_kind::epoll) {
        throw std::invalid_argument("coir: reactor_kind::epoll needs Linux");
    }
#endif
    return make_poll_poller();
}

}  // namespace coir::detail
