// SPDX-License-Identifier: BSL-1.0
#include <coir/net/serve.hpp>

#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "core/scheduler.hpp"
#include "net/connection_group.hpp"
#include "net/net_error.hpp"

#include <coir/cancellation.hpp>
#include <coir/carrier.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <cerrno>
#include <deque>
#include <exception>
#include <new>
#include <stdexcept>
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

// One listener, and the connections that it has accepted.
class server {
public:
    server(net::tcp_listener& listener, const connection_handler& handler,
           const net::serve_options& options) noexcept
        : listener_(listener),
          handler_(handler),
          options_(options),
          exhaustion_(listener.local_endpoint()) {}

    // Until the listener is closed.
    void accept_all();

    void await_connections() { connections_.join(); }

private:
    std::error_code accept_one();

    net::tcp_listener& listener_;
    const connection_handler handler_;
    const net::serve_options& options_;
    exhaustion_log exhaustion_;
    connection_group connections_;  // last: awaits the handlers before anything else goes
};

// Accepts one connection and starts its fiber. @returns why that was not possible.
std::error_code server::accept_one() {
    std::error_code ec;
    net::tcp_socket accepted = listener_.accept(ec);
    if (ec) {
        return ec;
    }
    try {
        const int carrier =
            options_.on_every_carrier ? fiber_options::this_carrier : fiber_options::any_carrier;
        spawn_as<connection>(fiber_options("connection", options_.stack_size).on(carrier),
                             handle_kind::detached, &connections_,
                             connection(handler_, std::move(accepted)));
    } catch (const std::bad_alloc&) {
        return {ENOMEM, std::system_category()};
    }
    return {};
}

void server::accept_all() {
    for (;;) {
        connections_.wait_until_fewer_than(options_.max_connections);
        const std::error_code error = accept_one();
        if (!error) {
            exhaustion_.goes_on();
        } else if (is_exhaustion(error)) {
            exhaustion_.ran_out(error);
            this_fiber::sleep_for(options_.exhausted_pause);
        } else if (!listener_.is_open()) {
            return;
        } else {
            throw_net_error("accept on " + listener_.local_endpoint().to_string(), error);
        }
    }
}

// What the other carriers have: a listener of the same endpoint, and a way to end its accepting and
// leave its connections alone.
struct twin {
    twin(const net::tcp_listener& of, int on_carrier)
        : listener(of.local_endpoint(), of.options()), carrier(on_carrier) {}

    void serve(const connection_handler& handler, const net::serve_options& options) {
        server one(listener, handler, options);
        accepting.run([&] { one.accept_all(); });
        listener.close();
        one.await_connections();
    }

    net::tcp_listener listener;
    cancel_scope accepting;
    const int carrier;
};

void serve_on_every_carrier(net::tcp_listener& listener, const connection_handler& handler,
                            const net::serve_options& options) {
    if (!listener.options().reuse_port) {
        throw std::invalid_argument(
            "coir::net::serve: on_every_carrier needs a listener with listen_options::reuse_port; "
            "the one on " +
            listener.local_endpoint().to_string() + " has it off");
    }
    std::deque<twin> twins;
    for (std::size_t i = 0; i < this_carrier::count(); ++i) {
        if (static_cast<int>(i) != this_carrier::number()) {
            twins.emplace_back(listener, static_cast<int>(i));
        }
    }
    cancel_scope own_accepting;
    task_group others;
    for (twin& each : twins) {
        others.spawn(fiber_options("serve").on(each.carrier), [&] {
            try {
                each.serve(handler, options);
            } catch (...) {
                own_accepting.cancel();  // the group ends the other twins
                throw;
            }
        });
    }
    server own(listener, handler, options);
    own_accepting.run([&] { own.accept_all(); });
    for (twin& each : twins) {
        each.accepting.cancel();
    }
    if (!own_accepting.cancel_requested()) {  // else a twin has failed, and all connections end
        own.await_connections();
    }
    others.join();
}

}  // namespace

void serve(net::tcp_listener& listener, const connection_handler& handler,
           const net::serve_options& options) {
    if (scheduler::current() == nullptr) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                                "coir::net::serve spawns fibers, so it is called inside coir::run");
    }
    if (options.on_every_carrier) {
        serve_on_every_carrier(listener, handler, options);
    } else {
        server one(listener, handler, options);
        one.accept_all();
        one.await_connections();
    }
}

}  // namespace coir::detail
