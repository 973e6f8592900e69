// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/net/tcp_listener.hpp>
#include <coir/net/tcp_socket.hpp>

#include <chrono>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace coir::net {

/// @brief What can be chosen for serve().
struct serve_options {
    /// Listens and accepts on every carrier of the run, each with a socket of its own, among which
    /// the kernel spreads the connections (`SO_REUSEPORT`). A connection's fiber stays on the
    /// carrier that has accepted it. The listener has to be made with listen_options::reuse_port.
    /// Off, the caller's carrier accepts, and any may run the fibers.
    bool on_every_carrier = false;

    /// How many connections may be open at once, on each carrier that accepts; more wait in the
    /// listener's backlog. 0: no limit but the system's.
    std::size_t max_connections = 0;

    /// The stack of each connection's fiber in bytes; 0 means run_options::stack_size.
    std::size_t stack_size = 0;

    /// How long no connection is accepted once descriptors or memory have run out.
    std::chrono::nanoseconds exhausted_pause = std::chrono::milliseconds(50);
};

}  // namespace coir::net

namespace coir::detail {

// The handler, borrowed: serve() returns after its last call.
struct connection_handler {
    void* object;
    void (*call)(void* object, net::tcp_socket socket);
};
COIR_API void serve(net::tcp_listener& listener, const connection_handler& handler,
                    const net::serve_options& options);

}  // namespace coir::detail

namespace coir::net {

/// Accepts connections and calls `handler(tcp_socket)` for each one, in a fiber of its own.
///
/// Returns when the listener is closed and the handlers that ran then have returned. Cancelled, it
/// cancels the handlers too, awaits them, and throws operation_cancelled. Where a run has several
/// carriers, handlers run on all of them at once.
///
/// What escapes from a handler is logged with the peer's endpoint, and is nobody else's matter.
/// When descriptors or memory run out, that is logged once, with the limit and its knob; accepting
/// pauses and goes on, and connections that are open go on anyway.
/// @throws std::system_error operation_not_permitted outside coir::run(); and what accept() throws
/// apart from the above. std::invalid_argument for serve_options::on_every_carrier without
/// listen_options::reuse_port.
/// @lifetime `handler` is used by all fibers at once, and is not copied.
/// @example `samples/04_echo_server.cpp`
template <class Handler>
void serve(tcp_listener& listener, Handler&& handler, const serve_options& options = {}) {
    static_assert(std::is_invocable_v<Handler&, tcp_socket>,
                  "coir::net::serve: the handler is called with a tcp_socket");
    auto call = [&handler](tcp_socket socket) {
        handler(std::move(socket));
    };
    const detail::connection_handler erased{
        &call, [](void* object, tcp_socket socket) {
            (*static_cast<decltype(call)*>(object))(std::move(socket));
        }};
    detail::serve(listener, erased, options);
}

}  // namespace coir::net
