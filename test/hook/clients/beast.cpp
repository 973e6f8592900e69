// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/client.hpp"
#include "hook/clients/slow_server.hpp"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/version.hpp>

namespace coir::test {

namespace {

using std::chrono::milliseconds;
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

asio::ip::tcp::endpoint loopback(int port) {
    return {asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)};
}

void check(const std::string& body, const std::string& number) {
    if (body != "waited " + number + "\n") {
        throw client_error("a wrong answer: " + body);
    }
}

// Boost.Asio's synchronous calls: a socket that is connected, written to and read from.
class asio_client : public client {
public:
    std::string name() const override { return "Boost.Asio, synchronous"; }
    std::string missing() const override { return slow_server::missing(); }
    std::string versions() const override {
        std::string version = "Boost " BOOST_LIB_VERSION;
        std::replace(version.begin(), version.end(), '_', '.');
        return version;
    }
    void start() override { server_.start(); }
    void kill() override { server_.kill(); }

    void call(milliseconds delay) override {
        try {
            ask(server_.http(), std::to_string(delay.count()));
        } catch (const boost::system::system_error& error) {
            throw client_error(error.what());
        }
    }

protected:
    virtual void ask(int port, const std::string& number) {
        asio::io_context context;
        asio::ip::tcp::socket socket(context);
        socket.connect(loopback(port));
        asio::write(socket, asio::buffer("GET /" + number + " HTTP/1.0\r\n\r\n"));
        std::string answer;
        boost::system::error_code end;
        asio::read(socket, asio::dynamic_buffer(answer), end);
        const std::size_t body = answer.find("\r\n\r\n");
        if (end != asio::error::eof || body == std::string::npos) {
            throw client_error(end.message());
        }
        check(answer.substr(body + 4), number);
    }

private:
    slow_server server_;
};

class beast_client final : public asio_client {
public:
    std::string name() const override { return "Boost.Beast, synchronous"; }

protected:
    void ask(int port, const std::string& number) override {
        asio::io_context context;
        beast::tcp_stream stream(context);
        stream.socket().connect(loopback(port));
        const http::request<http::empty_body> request(http::verb::get, "/" + number, 11);
        http::write(stream.socket(), request);
        beast::flat_buffer buffer;
        http::response<http::string_body> response;
        http::read(stream.socket(), buffer, response);
        check(response.body(), number);
    }
};

}  // namespace

void add_beast(client_list& clients) {
    clients.push_back(std::make_unique<asio_client>());
    clients.push_back(std::make_unique<beast_client>());
}

}  // namespace coir::test
