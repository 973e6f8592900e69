// SPDX-License-Identifier: BSL-1.0
#include <coir/net/tcp_socket.hpp>

#include "base/system_calls.hpp"
#include "core/cancellation_point.hpp"
#include "net/connect_attempt.hpp"
#include "net/net_error.hpp"
#include "net/socket_address.hpp"
#include "net/socket_wait.hpp"
#include "reactor/readiness_bit.hpp"
#include "reactor/wait_io.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <cerrno>

namespace coir::net {

using detail::io_operation;
using detail::last_error;
using detail::sys;

namespace {

ssize_t call(const io_operation& op) {
    return op.what == io_operation::call::receive
               ? sys.recv(op.descriptor, op.data, op.size, op.flags)
               : sys.send(op.descriptor, op.data, op.size, op.flags);
}

// Whether a backend that makes calls is to make this one: if it would be in vain now, or if it is
// cheaper so. A read that may do something now is not: what is there is worth more than what it
// costs.
bool is_for_backend(const io_operation& op, bool may_be_ready) {
    const bool cheaper = op.what == io_operation::call::send && detail::io_in_company();
    return (!may_be_ready || cheaper) && detail::io_completes(op);
}

// @returns what the call returns; `error`: the errno of why it was not made.
ssize_t left_to_backend(io_operation& op, bool may_be_ready, int& error) {
    op.later = op.what == io_operation::call::receive && !may_be_ready && !detail::io_in_company();
    error = detail::perform_on_socket(op);
    return detail::returned_by(op);
}

// How much was moved; and the errno of why nothing was, or 0.
struct transferred {
    std::size_t size;
    int error;

    std::error_code code() const noexcept { return {error, std::system_category()}; }
};

// A read or a write. A warm one is a single system call: the readiness bit tells beforehand that it
// would be in vain, and a short one that the next would. Where the backend makes calls for fibers,
// it may be none.
transferred transfer(const int& descriptor, io_operation& op) {
    const detail::cancellation_point at;
    if (descriptor < 0) {
        return {0, EBADF};
    }
    if (op.size == 0) {
        return {0, 0};
    }
    detail::readiness_bit ready(descriptor, op.which());
    bool may_be_ready = ready.is_set();
    bool has_waited = false;
    for (;;) {
        ssize_t result = 0;
        int error = 0;
        if (ready.backend_makes_calls() && is_for_backend(op, may_be_ready)) {
            result = left_to_backend(op, may_be_ready, error);
            has_waited = true;
        } else {
            if (!may_be_ready) {
                error = detail::wait_for_socket(descriptor, op.which(), ready);
                has_waited = true;
            }
            if (error == 0) {
                result = call(op);
            }
        }
        if (error != 0) {
            return {0, error};
        }
        if (result >= 0) {
            const auto moved = static_cast<std::size_t>(result);
            // At the end of the stream (0) every call returns at once.
            if (moved > 0 && moved < op.size && !op.more_to_read) {
                ready.clear();
            } else if (!may_be_ready) {
                ready.set();
            }
            if (!has_waited) {
                at.passed_at_once();
            }
            return {moved, 0};
        }
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
            return {0, errno};
        }
        may_be_ready = errno == EINTR;
    }
}

transferred receive(const int& descriptor, void* data, std::size_t size) {
    io_operation op{io_operation::call::receive, descriptor, data, size};
    return transfer(descriptor, op);
}

transferred send(const int& descriptor, const void* data, std::size_t size) {
    io_operation op{io_operation::call::send, descriptor, const_cast<void*>(data), size,
                    MSG_NOSIGNAL};
    return transfer(descriptor, op);
}

// All of it, or what was sent before an error.
transferred send_all(const int& descriptor, const void* data, std::size_t size) {
    std::size_t sent = 0;
    for (;;) {
        const transferred part =
            send(descriptor, static_cast<const char*>(data) + sent, size - sent);
        sent += part.size;
        if (part.error != 0 || sent == size) {
            return {sent, part.error};
        }
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
    const transferred got = receive(descriptor_, data, size);
    ec = got.code();
    return got.size;
}

std::size_t tcp_socket::read_some(void* data, std::size_t size) {
    const bool was_open = is_open();
    const transferred got = receive(descriptor_, data, size);
    if (got.error != 0) {
        detail::throw_net_error(naming("read from ", was_open, peer_), got.code());
    }
    return got.size;
}

std::size_t tcp_socket::write_some(const void* data, std::size_t size, std::error_code& ec) {
    const transferred sent = send(descriptor_, data, size);
    ec = sent.code();
    return sent.size;
}

std::size_t tcp_socket::write_some(const void* data, std::size_t size) {
    const bool was_open = is_open();
    const transferred sent = send(descriptor_, data, size);
    if (sent.error != 0) {
        detail::throw_net_error(naming("write to ", was_open, peer_), sent.code());
    }
    return sent.size;
}

std::size_t tcp_socket::write_all(const void* data, std::size_t size, std::error_code& ec) {
    const transferred sent = send_all(descriptor_, data, size);
    ec = sent.code();
    return sent.size;
}

std::size_t tcp_socket::write_all(const void* data, std::size_t size) {
    const bool was_open = is_open();
    const transferred sent = send_all(descriptor_, data, size);
    if (sent.error != 0) {
        detail::throw_net_error(naming("write to ", was_open, peer_) + ", " +
                                    std::to_string(sent.size) + " of " + std::to_string(size) +
                                    " bytes sent",
                                sent.code());
    }
    return sent.size;
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
