// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/io/buffer_limits.hpp>
#include <coir/io/detail/read_buffer.hpp>
#include <coir/io/detail/stream_ref.hpp>
#include <coir/io/detail/write_buffer.hpp>
#include <coir/io/error.hpp>
#include <coir/io/stream.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace coir::io {

/// @brief A stream with a buffer for each direction: lines and exact counts to read, small pieces
/// to write. What asyncio's StreamReader and StreamWriter are, in one.
///
/// Every call that fails has two forms: one throws, one takes a `std::error_code&` last.
///
/// @suspends Every read waits while the buffer has too little; drain() waits until all is sent, and
/// write() does once buffer_limits::unsent_bytes are kept.
/// @threadsafety As its stream; for one stream, the fibers of one carrier thread. One fiber may
/// read while another writes. A second reader, or writer, in the middle of the first one's call
/// gets errc::busy.
/// @errors The stream's own, and those of io::errc. A peer cannot exhaust memory: buffer_limits.
/// @cancellation Every call is a cancellation point, and operation_cancelled is thrown by the
/// `std::error_code&` forms too. Nothing is lost: what was read stays in the buffer, and what was
/// not sent stays to be sent.
/// @lifetime Owns its stream. The destructor does not wait: it drops what has not been drained.
/// @example `samples/03_web_headers.cpp`
template <class S>
class buffered_stream {
    static_assert(is_stream_v<S>, "buffered_stream<S>: S must be a stream, see coir/io/stream.hpp");

public:
    /// Takes the stream over.
    explicit buffered_stream(S stream, const buffer_limits& limits = {}) noexcept(
        std::is_nothrow_move_constructible_v<S>)
        : stream_(std::move(stream)), input_(limits), output_(limits) {}

    /// Reads up to and including the next "\n". @returns the line with its end; only the last line
    /// of a stream may lack it, and an empty string is the end of the stream.
    /// @throws limit_exceeded for a line longer than buffer_limits::line_bytes.
    std::string read_line() { return input_.read_line(below(), nullptr); }
    /// @copybrief read_line()
    std::string read_line(std::error_code& ec) { return input_.read_line(below(), clear(ec)); }

    /// Reads up to and including `delimiter`.
    /// @throws incomplete_read if the stream ends before it; with `ec`, returns what there was.
    /// @throws limit_exceeded as read_line(). @throws std::invalid_argument for an empty delimiter.
    std::string read_until(std::string_view delimiter) {
        return input_.read_until(below(), delimiter, nullptr);
    }
    /// @copybrief read_until(std::string_view)
    std::string read_until(std::string_view delimiter, std::error_code& ec) {
        return input_.read_until(below(), delimiter, clear(ec));
    }

    /// Reads `size` bytes. Memory is used as they come, not as they are asked for.
    /// @throws incomplete_read if the stream ends before; with `ec`, returns what there was.
    /// @throws limit_exceeded if `size` is greater than buffer_limits::read_bytes.
    std::string read_exactly(std::size_t size) {
        return input_.read_exactly(below(), size, nullptr);
    }
    /// @copybrief read_exactly(std::size_t)
    std::string read_exactly(std::size_t size, std::error_code& ec) {
        return input_.read_exactly(below(), size, clear(ec));
    }

    /// Reads all there is until the end of the stream.
    /// @throws limit_exceeded if it is more than buffer_limits::read_bytes.
    std::string read_to_end() { return input_.read_to_end(below(), nullptr); }
    /// @copybrief read_to_end()
    std::string read_to_end(std::error_code& ec) { return input_.read_to_end(below(), clear(ec)); }

    /// Reads what there is, up to `size` bytes; waits only if there is nothing. @returns how many;
    /// 0 is the end of the stream.
    std::size_t read_some(void* data, std::size_t size) {
        return input_.read_some(below(), data, size, nullptr);
    }
    /// @copybrief read_some(void*, std::size_t)
    std::size_t read_some(void* data, std::size_t size, std::error_code& ec) {
        return input_.read_some(below(), data, size, clear(ec));
    }

    /// Writes `text` into the buffer. Nothing is sent before drain() is called or more than
    /// buffer_limits::unsent_bytes are kept; then write() itself sends, and waits for a slow peer,
    /// so the buffer does not grow past that limit and one text.
    ///
    /// Where sending fails, `text` counts as written: drain() goes on where it stopped. Only while
    /// an earlier failure has left the buffer over its limit is `text` refused; see unsent().
    void write(std::string_view text) { output_.write(below(), text, nullptr); }
    /// @copybrief write(std::string_view)
    void write(std::string_view text, std::error_code& ec) {
        output_.write(below(), text, clear(ec));
    }

    /// Sends all that is buffered.
    void drain() { output_.drain(below(), nullptr); }
    /// @copybrief drain()
    void drain(std::error_code& ec) { output_.drain(below(), clear(ec)); }

    /// @returns how many bytes have been read from the stream and not been asked for yet.
    std::size_t unread() const noexcept { return input_.size(); }

    /// @returns how many bytes have been written and not been sent yet.
    std::size_t unsent() const noexcept { return output_.size(); }

    /// @returns the stream below, which knows nothing of unread() and unsent().
    S& stream() noexcept { return stream_; }
    /// @copybrief stream()
    const S& stream() const noexcept { return stream_; }

private:
    detail::stream_ref below() noexcept { return detail::stream_ref(stream_); }
    static std::error_code* clear(std::error_code& ec) noexcept {
        ec.clear();
        return &ec;
    }

    S stream_;
    detail::read_buffer input_;
    detail::write_buffer output_;
};

}  // namespace coir::io
