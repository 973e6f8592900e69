// SPDX-License-Identifier: BSL-1.0
// TCP echo with Boost.Asio: a stackful coroutine a connection, by spawn().
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <iostream>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// spawn(context, ...) would put a strand around each coroutine, which is of no use to the one
// thread that there is.
template <class Function>
void spawn_without_strand(asio::io_context& context, Function function) {
    const auto when_done = [] {
    };
    asio::spawn(asio::bind_executor(context.get_executor(), when_done), std::move(function));
}

template <class Yield>
void echo(tcp::socket client, Yield yield) {
    std::array<char, 16384> buffer;
    boost::system::error_code error;
    for (;;) {
        const std::size_t size = client.async_read_some(asio::buffer(buffer), yield[error]);
        if (error) {
            return;
        }
        asio::async_write(client, asio::buffer(buffer, size), yield[error]);
        if (error) {
            return;
        }
    }
}

template <class Yield>
void accept_all(asio::io_context& context, Yield yield) {
    tcp::acceptor acceptor(context);
    acceptor.open(tcp::v4());
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen(4096);
    std::cout << "listening " << acceptor.local_endpoint().port() << std::endl;
    for (;;) {
        tcp::socket client(context);
        acceptor.async_accept(client, yield);
        client.set_option(tcp::no_delay(true));
        spawn_without_strand(context, [client = std::move(client)](auto own) mutable {
            echo(std::move(client), own);
        });
    }
}

}  // namespace

int main() {
    asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);  // no locks
    spawn_without_strand(context, [&](auto yield) { accept_all(context, yield); });
    context.run();
}
