// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/io/buffer_limits.hpp>
#include <coir/io/detail/stream_ref.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace coir::detail {

// What has been read from a stream and not been asked for yet. Every call reads from the stream
// only what it still needs; when it fails or is cancelled, what was read stays here. `ec` may be
// null: then errors are thrown.
class COIR_API read_buffer {
public:
    explicit read_buffer(const io::buffer_limits& limits) noexcept
        : line_limit_(bounded(limits.line_bytes)), read_limit_(bounded(limits.read_bytes)) {}
    read_buffer(read_buffer&& other) noexcept { *this = std::move(other); }
    read_buffer& operator=(read_buffer&& other) noexcept;

    std::string read_line(const stream_ref& stream, std::error_code* ec);
    std::string read_until(const stream_ref& stream, std::string_view delimiter,
                           std::error_code* ec);
    std::string read_exactly(const stream_ref& stream, std::size_t size, std::error_code* ec);
    std::string read_to_end(const stream_ref& stream, std::error_code* ec);
    std::size_t read_some(const stream_ref& stream, void* data, std::size_t size,
                          std::error_code* ec);

    std::size_t size() const noexcept { return end_ - begin_; }

private:
    enum class progress { more, ended, failed };

    // So that a limit plus one is a size as well.
    static constexpr std::size_t bounded(std::size_t limit) noexcept {
        return limit < static_cast<std::size_t>(PTRDIFF_MAX) ? limit : PTRDIFF_MAX;
    }

    std::string_view unread() const noexcept { return {data_.get() + begin_, size()}; }
    std::optional<std::size_t> find(const stream_ref& stream, std::string_view delimiter,
                                    const char* call, std::error_code* ec, progress& last);
    progress fill(const stream_ref& stream, std::size_t wanted, std::error_code* ec);
    void make_room(std::size_t wanted);
    std::string take(std::size_t size);
    void drop(std::size_t size) noexcept;

    std::size_t line_limit_ = 0;
    std::size_t read_limit_ = 0;
    std::unique_ptr<char[]> data_;  // none before the first read
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;  // of what is unread
    std::size_t end_ = 0;
    bool ended_ = false;  // the stream has said so; it is not asked again
    bool busy_ = false;   // a call is under way
};

}  // namespace coir::detail
