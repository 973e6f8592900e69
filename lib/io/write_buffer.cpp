// SPDX-License-Identifier: BSL-1.0
#include <coir/io/detail/write_buffer.hpp>

#include "core/waiter.hpp"
#include "io/exclusive_use.hpp"

#include <coir/io/error.hpp>

#include <algorithm>

namespace coir::detail {
namespace {

void fail(std::error_code error, const char* call, std::error_code* ec) {
    if (ec == nullptr) {
        throw std::system_error(error, call);
    }
    *ec = error;
}

// Writes once. @returns 0 if the stream failed.
std::size_t send(const stream_ref& stream, std::string_view text, std::error_code* ec) {
    const std::size_t sent = stream.write(text.data(), text.size(), ec);
    if (ec != nullptr && *ec) {
        return 0;
    }
    if (sent == 0) {  // no stream may do this, and to try again could go on for ever
        fail(std::make_error_code(std::errc::io_error), "write: the stream took nothing", ec);
    }
    return sent;
}

}  // namespace

void write_buffer::write(const stream_ref& stream, std::string_view text, std::error_code* ec) {
    check_cancelled();
    const exclusive_use use(busy_);
    if (use.taken()) {
        fail(make_error_code(io::errc::busy), "write", ec);
        return;
    }
    // What an earlier failure has left over the limit goes first, or a program that ignores errors
    // would fill its memory.
    if (size() > 0 && size() >= limit_ && !send_buffered(stream, ec)) {
        return;
    }
    if (size() + text.size() < limit_) {
        keep(text);
        spend_budget();
        return;
    }
    try {
        while (!text.empty() && send_or_keep(stream, text, ec)) {
        }
    } catch (...) {
        keep(text);
        throw;
    }
    keep(text);
}

void write_buffer::drain(const stream_ref& stream, std::error_code* ec) {
    check_cancelled();
    const exclusive_use use(busy_);
    if (use.taken()) {
        fail(make_error_code(io::errc::busy), "drain", ec);
        return;
    }
    if (size() == 0) {
        spend_budget();
        return;
    }
    send_buffered(stream, ec);
}

// Takes a step with `text` and removes from it what was sent or kept. Small pieces fill the buffer
// up, so that they travel together; what would fill it alone is sent from where it is.
bool write_buffer::send_or_keep(const stream_ref& stream, std::string_view& text,
                                std::error_code* ec) {
    if (size() == 0 && text.size() >= limit_) {
        const std::size_t sent = send(stream, text, ec);
        text.remove_prefix(sent);
        return sent > 0;
    }
    const std::size_t room = limit_ > size() ? limit_ - size() : 0;
    const std::size_t kept = std::min(room, text.size());
    keep(text.substr(0, kept));
    text.remove_prefix(kept);
    return size() < limit_ || send_buffered(stream, ec);
}

bool write_buffer::send_buffered(const stream_ref& stream, std::error_code* ec) {
    while (size() > 0) {
        const std::size_t sent = send(stream, std::string_view(bytes_).substr(begin_), ec);
        if (sent == 0) {
            return false;
        }
        begin_ += sent;
    }
    begin_ = 0;
    if (bytes_.capacity() > 2 * limit_) {  // one large text has passed through here
        std::string().swap(bytes_);
    } else {
        bytes_.clear();
    }
    return true;
}

void write_buffer::keep(std::string_view text) {
    if (begin_ > 0) {
        bytes_.erase(0, begin_);
        begin_ = 0;
    }
    bytes_.append(text);
}

}  // namespace coir::detail
