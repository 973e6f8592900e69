// SPDX-License-Identifier: BSL-1.0
#include "reactor/poller.hpp"

#include "base/log.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

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
    if (name == "io_uring") {
        return reactor_kind::io_uring;
    }
    throw std::invalid_argument("coir: the environment variable COIR_REACTOR is '" +
                                std::string(name) + "'; it may be 'poll', 'epoll' or 'io_uring'");
}

#ifdef __linux__

// Once for each reason: every carrier of every run comes here.
void log_lack_of_io_uring(int error, const std::string& why) {
    static constinit std::atomic<int> logged = -1;
    if (logged.exchange(error, std::memory_order_relaxed) != error) {
        log(log_level::warning, "io_uring cannot be used, so epoll is: " + why);
    }
}

// Null where there is none.
std::unique_ptr<poller> try_io_uring([[maybe_unused]] watched_by watcher) {
#ifdef COIR_HAS_IO_URING
    try {
        return make_uring_poller(watcher);
    } catch (const std::system_error& error) {
        if (error.code() == std::errc::too_many_files_open ||
            error.code() == std::errc::too_many_files_open_in_system) {
            throw;  // epoll would need as many
        }
        std::string why = error.what();
        if (error.code() == std::errc::operation_not_permitted) {
            why += " (a sandbox, or /proc/sys/kernel/io_uring_disabled)";
        }
        log_lack_of_io_uring(error.code().value(), why);
    }
#else
    log_lack_of_io_uring(0, "coir was built without it (liburing, COIR_IO_URING)");
#endif
    return nullptr;
}

#endif

}  // namespace

std::unique_ptr<poller> make_poller(reactor_kind kind, [[maybe_unused]] watched_by watcher) {
    kind = override_by_environment(kind);
#ifdef __linux__
    if (kind == reactor_kind::io_uring) {
        if (std::unique_ptr<poller> made = try_io_uring(watcher)) {
            return made;
        }
    }
    if (kind != reactor_kind::poll) {
        return make_epoll_poller();
    }
#else
    if (kind == reactor_kind::epoll || kind == reactor_kind::io_uring) {
        throw std::invalid_argument("coir: reactor_kind::epoll and io_uring need Linux");
    }
#endif
    return make_poll_poller();
}

}  // namespace coir::detail
