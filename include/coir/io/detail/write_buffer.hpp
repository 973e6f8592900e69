// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/io/buffer_limits.hpp>
#include <coir/io/detail/stream_ref.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace coir::detail {

// What has been written and not been sent yet. What the stream has taken leaves the buffer before
// anything else can fail, so nothing is ever sent twice. `ec` may be null: then errors are thrown.
class COIR_API write_buffer {
public:
    explicit write_buffer(const io::buffer_limits& limits) noexcept : limit_(limits.unsent_bytes) {}

    void write(const stream_ref& stream, std::string_view text, std::error_code* ec);
    void drain(const stream_ref& stream, std::error_code* ec);

    std::size_t size() const noexcept { return bytes_.size() - begin_; }

private:
    bool send_buffered(const stream_ref& stream, std::error_code* ec);
    bool send_or_keep(const stream_ref& stream, std::string_view& text, std::error_code* ec);
    void keep(std::string_view text);

    std::size_t limit_;
    std::string bytes_;
    std::size_t begin_ = 0;  // what is before it has been sent
    bool busy_ = false;      // a call is under way
};

}  // namespace coir::detail
