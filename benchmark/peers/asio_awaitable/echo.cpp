// SPDX-License-Identifier: BSL-1.0
// TCP echo with Boost.Asio: a C++20 coroutine a connection, by co_spawn().
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <iostream>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

asio::awaitable<void> echo(tcp::socket client) {
    std::array<char, 16384> buffer;
    try {
        for (;;) {
            const std::size_t size =
                co_await client.async_read_some(asio::buffer(buffer), asio::use_awaitable);
            co_await asio::async_write(client, asio::buffer(buffer, size), asio::use_awaitable);
        }
    } catch (const boost::system::system_error&) {  // the end of the stream, as a rule
    }
}

asio::awaitable<void> accept_all(asio::io_context& context) {
    tcp::acceptor acceptor(context);
    acceptor.open(tcp::v4());
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen(4096);
    std::cout << "listening " << acceptor.local_endpoint().port() << std::endl;
    for (;;) {
        tcp::socket client = co_await acceptor.async_accept(asio::use_awaitable);
        client.set_option(tcp::no_delay(true));
        asio::co_spawn(context, echo(std::move(client)), asio::detached);
    }
}

}  // namespace

int main() {
    asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);  // no locks
    asio::co_spawn(context, accept_all(context), asio::detached);
    context.run();
}
