// SPDX-License-Identifier: BSL-1.0
#include <coir/net/serve.hpp>

#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "core/scheduler.hpp"
#include "net/connection_group.hpp"
#include "net/net_error.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

namespace coir::detail {
namespace {

// What the fiber of a connection runs.
class connection {
public:
    connection(const connection_handler& handler, net::tcp_socket socket) noexcept
        : handler_(handler), peer_(socket.remote_endpoint()), socket_(std::move(socket)) {}

    void operator()() {
        try {
            handler_.call(handler_.object, std::move(socket_));
        } catch (const operation_cancelled&) {
            throw;
        } catch (...) {
            log_failure("the handler of", std::current_exception());
        }
    }

    void could_not_start(const std::exception_ptr& why) noexcept {
        log_failure("there is no fiber for", why);
    }

private:
    void log_failure(const char* what, const std::exception_ptr& why) const noexcept {
        log(log_level::error, std::string("coir::net::serve: ") + what + " the connection from " +
                                  peer_.to_string() + ": " + describe_exception(why));
    }

    connection_handler handler_;
    net::endpoint peer_;
    net::tcp_socket socket_;
};

// Says that something has run out, once for as long as it lasts, and how it went on.
class exhaustion_log {
public:
    explicit exhaustion_log(const net::endpoint& listener) noexcept : listener_(listener) {}

    void ran_out(std::error_code error) {
        if (!ongoing_) {
            ongoing_ = true;
            log(log_level::error,
                with_limit("coir::net::serve: accepting on " + listener_.to_string() + " pauses",
                           error) +
                    ": " + error.message());
        }
    }

    void goes_on() {
        if (ongoing_) {
            ongoing_ = false;
            log(log_level::info,
                "coir::net::serve: accepting on " + listener_.to_string() + " goes on");
        }
    }

private:
    const net::endpoint listener_;
    bool ongoing_ = false;
};

// Accepts one connection and starts its fiber. @returns why that was not possible.
std::error_code accept_one(net::tcp_listener& listener, connection_group& connections,
                           const connection_handler& handler, const net::serve_options& options) {
    std::error_code ec;
    net::tcp_socket accepted = listener.accept(ec);
    if (ec) {
        return ec;
    }
    try {
        spawn_as<connection>(fiber_options("connection", options.stack_size), handle_kind::detached,
                             &connections, connection(handler, std::move(accepted)));
    } catch (const std::bad_alloc&) {
        return {ENOMEM, std::system_category()};
    }
    return {};
}

}  // namespace

void serve(net::tcp_listener& listener, const connection_handler& handler,
           const net::serve_options& options) {
    if (scheduler::current() == nullptr) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                                "coir::net::serve spawns fibers, so it is called inside coir::run");
    }
    exhaustion_log exhaustion(listener.local_endpoint());
    connection_group connections;  // last: awaits the handlers before anything else goes
    for (;;) {
        connections.wait_until_fewer_than(options.max_connections);
        const std::error_code error = accept_one(listener, connections, handler, options);
        if (!error) {
            exhaustion.goes_on();
        } else if (is_exhaustion(error)) {
            exhaustion.ran_out(error);
            this_fiber::sleep_for(options.exhausted_pause);
        } else if (!listener.is_open()) {
            connections.join();
            return;
        } else {
            throw_net_error("accept on " + listener.local_endpoint().to_string(), error);
        }
    }
}

}  // namespace coir::detail
