// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/net/tcp_socket.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <cstddef>
#include <system_error>

// A coir::net::tcp_socket as what Boost.Beast's synchronous calls read and write: Asio's
// SyncReadStream and SyncWriteStream. A call waits as the socket's own calls do, so others run
// meanwhile; and as they do it throws coir::operation_cancelled.
class beast_stream {
public:
    explicit beast_stream(coir::net::tcp_socket& socket) noexcept : socket_(socket) {}

    template <class Buffers>
    std::size_t read_some(const Buffers& to, boost::system::error_code& error) {
        const boost::asio::mutable_buffer first = *boost::asio::buffer_sequence_begin(to);
        std::error_code code;
        const std::size_t got = socket_.read_some(first.data(), first.size(), code);
        error = as_boost(code);
        if (got == 0 && first.size() > 0 && !error) {
            error = boost::asio::error::eof;
        }
        return got;
    }

    // A message's head and body are buffers apart. Small ones are sent in one call, as a copy.
    template <class Buffers>
    std::size_t write_some(const Buffers& from, boost::system::error_code& error) {
        std::array<char, 4096> copy;
        boost::asio::const_buffer next = *boost::asio::buffer_sequence_begin(from);
        if (next.size() < copy.size()) {
            next = {copy.data(), boost::asio::buffer_copy(boost::asio::buffer(copy), from)};
        }
        std::error_code code;
        const std::size_t sent = socket_.write_some(next.data(), next.size(), code);
        error = as_boost(code);
        return sent;
    }

    template <class Buffers>
    std::size_t read_some(const Buffers& to) {
        return thrown([&](auto& error) { return read_some(to, error); });
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& from) {
        return thrown([&](auto& error) { return write_some(from, error); });
    }

private:
    static boost::system::error_code as_boost(const std::error_code& code) noexcept {
        return {code.value(), boost::system::system_category()};
    }

    template <class Call>
    static std::size_t thrown(Call call) {
        boost::system::error_code error;
        const std::size_t moved = call(error);
        if (error) {
            throw boost::system::system_error(error);
        }
        return moved;
    }

    coir::net::tcp_socket& socket_;
};
