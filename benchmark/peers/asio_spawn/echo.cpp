// SPDX-License-Identifier: BSL-1.0
// TCP echo with Boost.Asio: a stackful coroutine a connection, by spawn().
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <iostream>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

void echo(tcp::socket client, asio::yield_context yield) {
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

void accept_all(asio::io_context& context, asio::yield_context yield) {
    tcp::acceptor acceptor(context);
    acceptor.open(tcp::v4());
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen(4096);
    std::cout << "listening " << acceptor.local_endpoint().port() << std::endl;
    for (;;) {
        tcp::socket client(context);
        acceptor.async_accept(client, yield);
        client.set_option(tcp::no_delay(true));
        asio::spawn(context, [client = std::move(client)](asio::yield_context own) mutable {
            echo(std::move(client), own);
        });
    }
}

}  // namespace

int main() {
    asio::io_context context(1);
    asio::spawn(context, [&](asio::yield_context yield) { accept_all(context, yield); });
    context.run();
}
