// SPDX-License-Identifier: BSL-1.0
#include <coir/io/detail/read_buffer.hpp>

#include "core/waiter.hpp"
#include "io/exclusive_use.hpp"

#include <coir/io/error.hpp>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace coir::detail {
namespace {

// The first allocation: enough for a request's or a reply's head.
constexpr std::size_t first_capacity = 4 * 1024;

// An empty buffer larger than this is given back, so that one large message does not cost its
// memory for as long as the connection lives.
constexpr std::size_t kept_capacity = 64 * 1024;

void fail_busy(const char* call, std::error_code* ec) {
    if (ec == nullptr) {
        throw std::system_error(make_error_code(io::errc::busy), call);
    }
    *ec = io::errc::busy;
}

void fail_limit(const char* call, const std::string& what, std::size_t limit, const char* knob,
                std::error_code* ec) {
    if (ec == nullptr) {
        throw io::limit_exceeded(std::string(call) + ": " + what + " than " +
                                 std::to_string(limit) + " bytes (io::buffer_limits::" + knob +
                                 ')');
    }
    *ec = io::errc::limit_exceeded;
}

// The stream has ended after `partial`: thrown, or returned.
std::string cut_short(const char* call, std::string partial, const std::string& of_what,
                      std::optional<std::size_t> wanted, std::error_code* ec) {
    if (ec == nullptr) {
        const std::string what =
            std::string(call) + ": " + std::to_string(partial.size()) + ' ' + of_what;
        throw io::incomplete_read(what, std::move(partial), wanted);
    }
    *ec = io::errc::end_of_stream;
    return partial;
}

// A cancellation point. Data in the buffer most likely means that the call need not wait.
void enter_call(std::size_t buffered) {
    check_cancelled();
    if (buffered > 0) {
        spend_budget();
    }
}

}  // namespace

read_buffer& read_buffer::operator=(read_buffer&& other) noexcept {
    line_limit_ = other.line_limit_;
    read_limit_ = other.read_limit_;
    data_ = std::move(other.data_);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
    ended_ = std::exchange(other.ended_, false);
    busy_ = false;
    return *this;
}

std::string read_buffer::read_line(const stream_ref& stream, std::error_code* ec) {
    enter_call(size());
    const exclusive_use use(busy_);
    if (use.taken()) {
        fail_busy("read_line", ec);
        return {};
    }
    progress last = progress::more;
    const auto line = find(stream, "\n", "read_line", ec, last);
    if (line) {
        return take(*line);
    }
    return last == progress::ended ? take(size()) : std::string();
}

std::string read_buffer::read_until(const stream_ref& stream, std::string_view delimiter,
                                    std::error_code* ec) {
    if (delimiter.empty()) {
        throw std::invalid_argument("read_until: the delimiter is empty");
    }
    enter_call(size());
    const exclusive_use use(busy_);
    if (use.taken()) {
        fail_busy("read_until", ec);
        return {};
    }
    progress last = progress::more;
    const auto piece = find(stream, delimiter, "read_until", ec, last);
    if (piece) {
        return take(*piece);
    }
    if (last != progress::ended) {
        return {};
    }
    return cut_short("read_until", take(size()), "bytes and no delimiter", std::nullopt, ec);
}

std::string read_buffer::read_exactly(const stream_ref& stream, std::size_t wanted,
                                      std::error_code* ec) {
    enter_call(size());
    const exclusive_use use(busy_);
    if (use.taken()) {
        fail_busy("read_exactly", ec);
        return {};
    }
    if (wanted > read_limit_) {
        fail_limit("read_exactly", std::to_string(wanted) + " bytes were asked for, more",
                   read_limit_, "read_bytes", ec);
        return {};
    }
    while (size() < wanted) {
        const progress last = fill(stream, wanted, ec);
        if (last == progress::failed) {
            return {};
        }
        if (last == progress::ended) {
            return cut_short("read_exactly", take(size()),
                             "of " + std::to_string(wanted) + " bytes", wanted, ec);
        }
    }
    return take(wanted);
}

std::string read_buffer::read_to_end(const stream_ref& stream, std::error_code* ec) {
    enter_call(size());
    const exclusive_use use(busy_);
    if (use.taken()) {
        fail_busy("read_to_end", ec);
        return {};
    }
    for (;;) {
        if (size() > read_limit_) {
            fail_limit("read_to_end", "the stream has more", read_limit_, "read_bytes", ec);
            return {};
        }
        const progress last = fill(stream, read_limit_ + 1, ec);
        if (last == progress::failed) {
            return {};
        }
        if (last == progress::ended) {
            return take(size());
        }
    }
}

std::size_t read_buffer::read_some(const stream_ref& stream, void* data, std::size_t wanted,
                                   std::error_code* ec) {
    enter_call(size());
    const exclusive_use use(busy_);
    if (use.taken()) {
        fail_busy("read_some", ec);
        return 0;
    }
    if (size() > 0) {
        const std::size_t got = std::min(size(), wanted);
        std::memcpy(data, unread().data(), got);
        drop(got);
        return got;
    }
    if (ended_ || wanted == 0) {
        return 0;
    }
    const std::size_t got = stream.read(data, wanted, ec);
    ended_ = got == 0 && (ec == nullptr || !*ec);
    return got;
}

// The length of the piece at the front that ends in the delimiter. Nothing if the stream ended
// before it, or the piece is over the limit, or the stream failed: `last` says which.
std::optional<std::size_t> read_buffer::find(const stream_ref& stream, std::string_view delimiter,
                                             const char* call, std::error_code* ec,
                                             progress& last) {
    std::size_t searched = 0;  // no delimiter begins before here
    for (;;) {
        const std::size_t at = unread().find(delimiter, searched);
        const bool found = at != std::string_view::npos;
        const std::size_t length = found ? at + delimiter.size() : size();
        if (length > line_limit_) {
            last = progress::failed;
            fail_limit(call, "the peer sent a longer line", line_limit_, "line_bytes", ec);
            return std::nullopt;
        }
        if (found) {
            return length;
        }
        searched = size() < delimiter.size() ? 0 : size() - delimiter.size() + 1;
        last = fill(stream, line_limit_ + 1, ec);
        if (last != progress::more) {
            return std::nullopt;
        }
    }
}

// Reads once. The buffer is not made larger than `wanted` bytes for it.
read_buffer::progress read_buffer::fill(const stream_ref& stream, std::size_t wanted,
                                        std::error_code* ec) {
    if (ended_) {
        return progress::ended;
    }
    make_room(wanted);
    const std::size_t got = stream.read(data_.get() + end_, capacity_ - end_, ec);
    if (ec != nullptr && *ec) {
        return progress::failed;
    }
    if (got == 0) {
        ended_ = true;
        return progress::ended;
    }
    end_ += got;
    return progress::more;
}

void read_buffer::make_room(std::size_t wanted) {
    if (end_ < capacity_) {
        return;
    }
    const std::size_t held = size();
    // Moving the unread half or less to the front costs at most a copy for each byte read; for more
    // than a half, only a larger buffer keeps it so.
    if (capacity_ > 0 && (held <= capacity_ / 2 || (capacity_ >= wanted && held < capacity_))) {
        std::memmove(data_.get(), data_.get() + begin_, held);
    } else {
        const std::size_t doubled = std::max(first_capacity, capacity_ * 2);
        const std::size_t larger = std::max(std::min(doubled, wanted), held + 1);
        std::unique_ptr<char[]> moved(new char[larger]);
        if (held > 0) {
            std::memcpy(moved.get(), data_.get() + begin_, held);
        }
        data_ = std::move(moved);
        capacity_ = larger;
    }
    begin_ = 0;
    end_ = held;
}

std::string read_buffer::take(std::size_t size) {
    std::string taken(unread().substr(0, size));
    drop(size);
    return taken;
}

void read_buffer::drop(std::size_t size) noexcept {
    begin_ += size;
    if (begin_ == end_) {
        begin_ = end_ = 0;
        if (capacity_ > kept_capacity) {
            data_.reset();
            capacity_ = 0;
        }
    }
}

}  // namespace coir::detail
