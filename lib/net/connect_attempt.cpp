// SPDX-License-Identifier: BSL-1.0
#include "net/connect_attempt.hpp"

#include "base/system_calls.hpp"
#include "net/net_error.hpp"
#include "net/socket_address.hpp"
#include "net/socket_wait.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <cerrno>

namespace coir::detail {

connect_attempt::connect_attempt(const net::endpoint& to) noexcept : target_(to) {
    const socket_address address(to);
    const int fd =
        sys.socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) {
        fail(last_error());
        return;
    }
    socket_ = net::tcp_socket::from_native(fd, to);
    const int on = 1;
    sys.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // speed only: may fail
}

void connect_attempt::run() {
    if (error_) {
        spend_budget();
        return;
    }
    socket_address address(target_);
    io_operation operation{io_operation::call::connect, descriptor(), address.data(),
                           address.size()};
    if (io_completes(operation)) {
        leave_to_backend(operation);
        return;
    }
    start();
    if (!pending_) {
        spend_budget();
    }
    while (pending_) {
        wait();
    }
}

void connect_attempt::leave_to_backend(io_operation& operation) {
    if (const int error = perform_on_socket(operation); error != 0) {
        fail({error, std::system_category()});
    } else if (operation.result < 0) {
        fail({-operation.result, std::system_category()});
    }
}

void connect_attempt::start() noexcept {
    if (error_) {
        return;
    }
    const socket_address address(target_);
    if (sys.connect(descriptor(), address.data(), address.size()) == 0) {
        return;
    }
    // An interrupted connect(2) goes on by itself, as one in progress.
    if (errno == EINPROGRESS || errno == EINTR) {
        pending_ = true;
    } else {
        fail(last_error());
    }
}

// Until there may be an outcome; looks.
void connect_attempt::wait() {
    const int fd = socket_.native_handle();
    readiness_bit ready(fd, direction::write);
    if (const int error = wait_for_socket(fd, direction::write, ready); error != 0) {
        fail({error, std::system_category()});
    } else {
        finish();
    }
}

void connect_attempt::finish() noexcept {
    int error = 0;
    socklen_t size = sizeof(error);
    if (sys.getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    if (error == 0) {
        pending_ = false;
    } else {
        fail({error, std::system_category()});
    }
}

void connect_attempt::fail(std::error_code error) noexcept {
    pending_ = false;
    error_ = error;
    socket_.close();
}

}  // namespace coir::detail
