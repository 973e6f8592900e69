// SPDX-License-Identifier: BSL-1.0
// HTTP with Boost.Beast on coir, a fiber a connection: Beast reads each request to its end, fields
// and all, and writes an answer that is made for it. What a request needs lies on the fiber's
// stack.
#include "beast_stream.hpp"
#include "reactor_option.hpp"

#include <coir/net/serve.hpp>
#include <coir/net/tcp_listener.hpp>
#include <coir/run.hpp>

#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <iostream>
#include <memory_resource>
#include <string_view>
#include <tuple>

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

static_assert(beast::is_sync_read_stream<beast_stream>::value);
static_assert(beast::is_sync_write_stream<beast_stream>::value);

using allocator = std::pmr::polymorphic_allocator<char>;
using fields = http::basic_fields<allocator>;

constexpr std::string_view greeting = "Hello, world!\n";

// @returns whether the connection is to be kept.
template <class Request>
bool write_answer(beast_stream& stream, const Request& request, allocator memory,
                  beast::error_code& error) {
    http::response<http::span_body<const char>, fields> answer(
        std::piecewise_construct, std::make_tuple(greeting.data(), greeting.size()),
        std::make_tuple(http::status::ok, request.version(), memory));
    answer.set(http::field::content_type, "text/plain");
    answer.keep_alive(request.keep_alive());
    answer.prepare_payload();
    http::write(stream, answer, error);
    return !error && answer.keep_alive();
}

void serve_client(coir::net::tcp_socket client) {
    beast_stream stream(client);
    beast::flat_static_buffer<8192> received;
    std::array<std::byte, 8192> storage;
    std::pmr::monotonic_buffer_resource memory(storage.data(), storage.size());
    beast::error_code error;
    for (bool kept = true; kept && !error; memory.release()) {
        http::request_parser<http::empty_body, allocator> request(
            std::piecewise_construct, std::make_tuple(), std::make_tuple(allocator(&memory)));
        http::read(stream, received, request, error);
        kept = !error && write_answer(stream, request.get(), &memory, error);
    }
}

}  // namespace

int main(int argc, char** argv) {
    choose_reactor(argc, argv);
    try {
        coir::run([] {
            coir::net::tcp_listener listener(coir::net::endpoint::parse("127.0.0.1:0"));
            std::cout << "listening " << listener.local_endpoint().port() << std::endl;
            coir::net::serve(listener, serve_client);
        });
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
