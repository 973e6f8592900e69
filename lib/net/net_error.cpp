// SPDX-License-Identifier: BSL-1.0
#include "net/net_error.hpp"

#include <sys/resource.h>
#include <cerrno>
#include <utility>

namespace coir::detail {
namespace {

std::string descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return "no descriptor is free, see ulimit -n";
    }
    return "at most " + std::to_string(limit.rlim_cur) + " descriptors may be open, see ulimit -n";
}

}  // namespace

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

bool is_exhaustion(std::error_code error) noexcept {
    return error.category() == std::system_category() &&
           (error.value() == EMFILE || error.value() == ENFILE || error.value() == ENOBUFS ||
            error.value() == ENOMEM);
}

std::string with_limit(std::string what, std::error_code error) {
    if (error.category() != std::system_category()) {
        return what;
    }
    switch (error.value()) {
        case EMFILE: return std::move(what) + " (" + descriptor_limit() + ')';
        case ENFILE:
            return std::move(what) + " (the system's limit of open files, see sysctl fs.file-max)";
        case ENOBUFS:
        case ENOMEM:
            return std::move(what) +
                   " (the kernel's memory for sockets, see sysctl net.ipv4.tcp_mem)";
        case EADDRNOTAVAIL:
            return std::move(what) +
                   " (no such address here, or no free port, see sysctl "
                   "net.ipv4.ip_local_port_range)";
        default: return what;
    }
}

void throw_net_error(std::string what, std::error_code error) {
    throw std::system_error(error, with_limit(std::move(what), error));
}

}  // namespace coir::detail
