// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>

namespace coir::io {

/// @brief What can go wrong in a stream that is no error of the system's. Category "coir.io".
enum class errc {
    end_of_stream = 1,  ///< the stream ended before all that was asked for had come
    limit_exceeded,     ///< the peer sent more than a buffer may hold; see buffer_limits
    busy,               ///< another fiber is in the middle of a call on the same side of the stream
};

/// @returns the category of errc; its name is "coir.io".
COIR_API const std::error_category& error_category() noexcept;

/// @returns `e` as a std::error_code.
inline std::error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), error_category()};
}

/// @brief Thrown where a stream ended too early: asyncio's IncompleteReadError. Its code is
/// errc::end_of_stream.
///
/// What came before the end has been taken out of the stream and is in here.
class COIR_API incomplete_read : public std::system_error {
public:
    /// Makes the exception of a call that wanted `expected` bytes, or some delimiter.
    incomplete_read(const std::string& what, std::string partial,
                    std::optional<std::size_t> expected);
    ~incomplete_read() override;

    /// @returns what came before the stream ended.
    const std::string& partial() const noexcept { return partial_; }

    /// @returns how many bytes were asked for; nothing where the call looked for a delimiter.
    std::optional<std::size_t> expected() const noexcept { return expected_; }

private:
    std::string partial_;
    std::optional<std::size_t> expected_;
};

/// @brief Thrown where a peer sent more than a buffer may hold: asyncio's LimitOverrunError. Its
/// code is errc::limit_exceeded, its message names the limit and the member of buffer_limits to
/// raise.
///
/// What has come stays in the buffer, and can be read in another way.
class COIR_API limit_exceeded : public std::system_error {
public:
    /// Makes the exception; `what` says which limit.
    explicit limit_exceeded(const std::string& what);
    ~limit_exceeded() override;
};

}  // namespace coir::io

template <>
struct std::is_error_code_enum<coir::io::errc> : std::true_type {};
