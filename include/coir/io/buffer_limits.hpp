// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace coir::io {

/// @brief How much memory the peer of a buffered_stream can make it use.
struct buffer_limits {
    /// The longest line, or piece up to a delimiter, in bytes with its end. What is longer makes
    /// read_line() and read_until() fail. 64 KiB as in asyncio.
    std::size_t line_bytes = 64 * 1024;

    /// The most bytes that one read_exactly() may ask for, and that read_to_end() takes. 64 MiB.
    std::size_t read_bytes = 64 * 1024 * 1024;

    /// How many bytes write() keeps before it sends them by itself. 0 sends at each write(). 64
    /// KiB.
    std::size_t unsent_bytes = 64 * 1024;
};

}  // namespace coir::io
