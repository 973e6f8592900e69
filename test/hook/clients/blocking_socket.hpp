// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/unique_fd.hpp"
#include "hook/clients/client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>
#include <string>

namespace coir::test {

// A connection as a program of 1990 makes it.
inline detail::unique_fd connect_blocking(int port) {
    detail::unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw client_error(std::string("connect: ") + std::strerror(errno));
    }
    return fd;
}

}  // namespace coir::test
