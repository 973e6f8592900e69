// SPDX-License-Identifier: BSL-1.0
#include <coir/net/tcp_listener.hpp>

#include "base/system_calls.hpp"
#include "base/unique_fd.hpp"
#include "net/net_error.hpp"
#include "net/socket_address.hpp"
#include "net/socket_wait.hpp"
#include "reactor/wait_io.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <cerrno>

namespace coir::net {

using detail::direction;
using detail::io_operation;
using detail::last_error;
using detail::sys;

namespace {

constexpr int accepted_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

// accept(2): a connection that failed while it was in the queue tells of it here; "for reliable
// operation the application should detect the network errors and treat them like EAGAIN". EPERM is
// a firewall's. EOPNOTSUPP is not in the list: here it could only mean a socket that never listens.
bool lost_in_queue(int error) noexcept {
    switch (error) {
        case ECONNABORTED:
        case EPROTO:
        case EPERM:
        case ENETDOWN:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENETUNREACH:
#ifdef ENONET
        case ENONET:
#endif
            return true;
        default: return false;
    }
}

void set_option(int descriptor, int level, int name, bool on, const endpoint& where) {
    const int value = on ? 1 : 0;
    if (sys.setsockopt(descriptor, level, name, &value, sizeof(value)) != 0) {
        detail::throw_net_error("listen on " + where.to_string(), last_error());
    }
}

}  // namespace

tcp_listener::tcp_listener(const endpoint& on, const listen_options& options) : options_(options) {
    const detail::socket_address address(on);
    detail::unique_fd owner(
        sys.socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!owner) {
        detail::throw_net_error("listen on " + on.to_string(), last_error());
    }
    const int fd = owner.get();
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, options.reuse_address, on);
    set_option(fd, SOL_SOCKET, SO_REUSEPORT, options.reuse_port, on);
    if (on.address().is_v6()) {
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only, on);
    }
    detail::socket_address local;
    if (sys.bind(fd, address.data(), address.size()) != 0 || sys.listen(fd, options.backlog) != 0 ||
        sys.getsockname(fd, local.data(), local.size_address()) != 0) {
        detail::throw_net_error("listen on " + on.to_string(), last_error());
    }
    detail::io_forget(fd);  // whatever had this number before is not this socket
    local_ = local.to_endpoint();
    descriptor_ = owner.release();
}

tcp_listener& tcp_listener::operator=(tcp_listener&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
        local_ = other.local_;
        options_ = other.options_;
    }
    return *this;
}

tcp_socket tcp_listener::accept() {
    std::error_code ec;
    tcp_socket accepted = accept(ec);
    if (ec) {
        detail::throw_net_error("accept on " + local_.to_string(), ec);
    }
    return accepted;
}

tcp_socket tcp_listener::accept(std::error_code& ec) {
    detail::check_cancelled();
    ec.clear();
    bool has_waited = false;
    detail::readiness_bit ready(descriptor_, direction::read);
    bool may_be_ready = ready.is_set();
    for (;;) {
        detail::socket_address peer;
        int fd = -1;
        int error = 0;
        io_operation op{io_operation::call::accept, descriptor_, peer.data(), 0, accepted_flags,
                        peer.size_address()};
        if (!may_be_ready && detail::io_completes(op)) {
            error = detail::perform_on_socket(op);
            fd = detail::returned_by(op);
            has_waited = true;
        } else {
            if (!may_be_ready) {
                error = detail::wait_for_socket(descriptor_, direction::read, ready);
                has_waited = true;
            }
            if (error == 0) {
                fd = sys.accept4(descriptor_, peer.data(), peer.size_address(), accepted_flags);
            }
        }
        if (error != 0) {
            ec.assign(error, std::system_category());
            return {};
        }
        if (fd >= 0) {
            tcp_socket accepted = tcp_socket::from_native(fd, peer.to_endpoint());
            const int on = 1;
            sys.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // speed only: may fail
            if (!has_waited) {
                detail::spend_budget();
            }
            return accepted;
        }
        error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK) {
            may_be_ready = false;
        } else if (error == EINTR || lost_in_queue(error)) {
            may_be_ready = true;
            detail::spend_budget();
        } else {
            ec.assign(error, std::system_category());
            return {};
        }
    }
}

void tcp_listener::close() noexcept { detail::close_socket(descriptor_); }

}  // namespace coir::net
