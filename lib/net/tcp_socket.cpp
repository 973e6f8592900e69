// SPDX-License-Identifier: BSL-1.0
#include <coir/net/tcp_socket.hpp>

#include "base/system_calls.hpp"
#include "net/connect_attempt.hpp"
#include "net/net_error.hpp"
#include "net/socket_address.hpp"
#include "net/socket_wait.hpp"
#include "reactor/wait_io.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <cerrno>

namespace coir::net {

using detail::direction;
using detail::io_operation;
using detail::last_error;
using detail::sys;

namespace {

const std::error_code closed(EBADF, std::system_category());

ssize_t call(const io_operation& op) {
    return op.what == io_operation::call::receive
               ? sys.recv(op.descriptor, op.data, op.size, op.flags)
               : sys.send(op.descriptor, op.data, op.size, op.flags);
}

// Whether the backend is to make the call: if it would be in vain now, or if it is cheaper so. A
// read that may do something now is not: what is there is worth more than what it costs.
bool is_for_backend(const io_operation& op, bool may_be_ready) {
    const bool cheaper =
        op.what == io_operation::call::send && detail::io_completes() && detail::io_in_company();
    return (!may_be_ready || cheaper) && detail::io_completes(op);
}

ssize_t left_to_backend(io_operation& op, bool may_be_ready, std::error_code& ec) {
    op.later = op.what == io_operation::call::receive && !may_be_ready && !detail::io_in_company();
    ec = detail::perform_on_socket(op);
    return ec ? -1 : detail::returned_by(op);
}

// A read or a write. A warm one is a single system call: the readiness bit tells beforehand that it
// would be in vain, and a short one that the next would. Where the backend makes calls for fibers,
// it may be none.
std::size_t transfer(const int& descriptor, io_operation op, std::error_code& ec) {
    const direction d = op.which();
    detail::check_cancelled();
    ec.clear();
    if (descriptor < 0) {
        ec = closed;
        return 0;
    }
    if (op.size == 0) {
        return 0;
    }
    bool has_waited = false;
    bool may_be_ready = detail::io_may_be_ready(descriptor, d);
    for (;;) {
        ssize_t result = 0;
        if (is_for_backend(op, may_be_ready)) {
            result = left_to_backend(op, may_be_ready, ec);
            has_waited = true;
        } else {
            if (!may_be_ready) {
                ec = detail::wait_for_socket(descriptor, d);
                has_waited = true;
            }
            result = ec ? -1 : call(op);
        }
        if (ec) {
            return 0;
        }
        if (result >= 0) {
            const auto moved = static_cast<std::size_t>(result);
            // At the end of the stream (0) every call returns at once.
            if (moved > 0 && moved < op.size && !op.more_to_read) {
                detail::io_drained(descriptor, d);
            } else if (!may_be_ready) {
                detail::io_not_drained(descriptor, d);
            }
            if (!has_waited) {
                detail::spend_budget();
            }
            return moved;
        }
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
            ec = last_error();
            return 0;
        }
        may_be_ready = errno == EINTR;
    }
}

std::string naming(const char* what, bool was_open, const endpoint& peer) {
    return was_open ? what + peer.to_string() : std::string(what) + "a closed socket";
}

}  // namespace

tcp_socket& tcp_socket::operator=(tcp_socket&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
        peer_ = other.peer_;
    }
    return *this;
}

tcp_socket tcp_socket::connect(const endpoint& to) {
    std::error_code ec;
    tcp_socket connected = connect(to, ec);
    if (ec) {
        detail::throw_net_error("connect to " + to.to_string(), ec);
    }
    return connected;
}

tcp_socket tcp_socket::connect(const endpoint& to, std::error_code& ec) {
    detail::check_cancelled();
    detail::connect_attempt attempt(to);
    attempt.run();
    ec = attempt.error();
    return attempt.take();
}

tcp_socket tcp_socket::from_native(int descriptor) {
    int type = 0;
    socklen_t type_size = sizeof(type);
    detail::socket_address peer;
    if (sys.getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 ||
        sys.getpeername(descriptor, peer.data(), peer.size_address()) != 0) {
        detail::throw_net_error("from_native: descriptor " + std::to_string(descriptor),
                                last_error());
    }
    if (type != SOCK_STREAM || !peer.is_ip()) {
        detail::throw_net_error(
            "from_native: descriptor " + std::to_string(descriptor) + " is no TCP socket",
            std::make_error_code(std::errc::invalid_argument));
    }
    const int status = sys.fcntl(descriptor, F_GETFL, 0);
    if (status < 0 || sys.fcntl(descriptor, F_SETFL, status | O_NONBLOCK) != 0 ||
        sys.fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
        detail::throw_net_error("from_native: descriptor " + std::to_string(descriptor),
                                last_error());
    }
    return from_native(descriptor, peer.to_endpoint());
}

tcp_socket tcp_socket::from_native(int descriptor, const endpoint& peer) noexcept {
    // Whatever had this number before and was closed behind our back is not this socket.
    detail::io_forget(descriptor);
    return tcp_socket(descriptor, peer);
}

std::size_t tcp_socket::read_some(void* data, std::size_t size, std::error_code& ec) {
    return transfer(descriptor_, {io_operation::call::receive, descriptor_, data, size}, ec);
}

std::size_t tcp_socket::read_some(void* data, std::size_t size) {
    std::error_code ec;
    const bool was_open = is_open();
    const std::size_t got = read_some(data, size, ec);
    if (ec) {
        detail::throw_net_error(naming("read from ", was_open, peer_), ec);
    }
    return got;
}

std::size_t tcp_socket::write_some(const void* data, std::size_t size, std::error_code& ec) {
    return transfer(
        descriptor_,
        {io_operation::call::send, descriptor_, const_cast<void*>(data), size, MSG_NOSIGNAL}, ec);
}

std::size_t tcp_socket::write_some(const void* data, std::size_t size) {
    std::error_code ec;
    const bool was_open = is_open();
    const std::size_t sent = write_some(data, size, ec);
    if (ec) {
        detail::throw_net_error(naming("write to ", was_open, peer_), ec);
    }
    return sent;
}

std::size_t tcp_socket::write_all(const void* data, std::size_t size, std::error_code& ec) {
    std::size_t sent = 0;
    do {
        sent += write_some(static_cast<const char*>(data) + sent, size - sent, ec);
    } while (!ec && sent < size);
    return sent;
}

std::size_t tcp_socket::write_all(const void* data, std::size_t size) {
    std::error_code ec;
    const bool was_open = is_open();
    const std::size_t sent = write_all(data, size, ec);
    if (ec) {
        detail::throw_net_error(naming("write to ", was_open, peer_) + ", " + std::to_string(sent) +
                                    " of " + std::to_string(size) + " bytes sent",
                                ec);
    }
    return sent;
}

void tcp_socket::shutdown_write(std::error_code& ec) {
    ec.clear();
    detail::io_submit(descriptor_);
    if (sys.shutdown(descriptor_, SHUT_WR) != 0) {
        ec = last_error();
    }
}

void tcp_socket::shutdown_write() {
    std::error_code ec;
    shutdown_write(ec);
    if (ec) {
        detail::throw_net_error(naming("shutdown of the connection to ", is_open(), peer_), ec);
    }
}

void tcp_socket::shutdown(std::error_code& ec) {
    ec.clear();
    detail::io_submit(descriptor_);
    if (sys.shutdown(descriptor_, SHUT_RDWR) != 0) {
        ec = last_error();
    }
}

void tcp_socket::shutdown() {
    std::error_code ec;
    shutdown(ec);
    if (ec) {
        detail::throw_net_error(naming("shutdown of the connection to ", is_open(), peer_), ec);
    }
}

void tcp_socket::close() noexcept { detail::close_socket(descriptor_); }

int tcp_socket::release() noexcept {
    const int descriptor = std::exchange(descriptor_, -1);
    if (descriptor >= 0) {
        detail::io_forget(descriptor);
    }
    return descriptor;
}

endpoint tcp_socket::local_endpoint() const {
    detail::socket_address local;
    if (sys.getsockname(descriptor_, local.data(), local.size_address()) != 0) {
        detail::throw_net_error(naming("local endpoint of the connection to ", is_open(), peer_),
                                last_error());
    }
    return local.to_endpoint();
}

void tcp_socket::set_no_delay(bool on) {
    const int value = on ? 1 : 0;
    if (sys.setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value)) != 0) {
        detail::throw_net_error(naming("TCP_NODELAY for the connection to ", is_open(), peer_),
                                last_error());
    }
}

}  // namespace coir::net
