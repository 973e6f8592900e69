// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <system_error>
#include <type_traits>
#include <utility>

namespace coir::detail {

// The four calls of a stream, each with exactly the result that it must have.
template <class S>
using read_some_result =
    decltype(std::declval<S&>().read_some(static_cast<void*>(nullptr), std::size_t{}));
template <class S>
using read_some_code_result = decltype(std::declval<S&>().read_some(
    static_cast<void*>(nullptr), std::size_t{}, std::declval<std::error_code&>()));
template <class S>
using write_some_result =
    decltype(std::declval<S&>().write_some(static_cast<const void*>(nullptr), std::size_t{}));
template <class S>
using write_some_code_result = decltype(std::declval<S&>().write_some(
    static_cast<const void*>(nullptr), std::size_t{}, std::declval<std::error_code&>()));

template <class S, class = void>
struct is_stream : std::false_type {};

template <class S>
struct is_stream<S, std::void_t<read_some_result<S>, read_some_code_result<S>, write_some_result<S>,
                                write_some_code_result<S>>>
    : std::bool_constant<std::is_same_v<read_some_result<S>, std::size_t> &&
                         std::is_same_v<read_some_code_result<S>, std::size_t> &&
                         std::is_same_v<write_some_result<S>, std::size_t> &&
                         std::is_same_v<write_some_code_result<S>, std::size_t>> {};

}  // namespace coir::detail

/// @brief Streams of bytes, and buffers over them.
namespace coir::io {

/// @brief Whether S is a stream of bytes: something that buffered_stream can stand on.
///
/// A stream `s` has these calls, where `data` is memory of the caller and `size` its bytes:
///
/// - `s.read_some(data, size)` waits until there is something to read, and reads what there is up
/// to
///   `size`. @returns how many bytes; 0 is the end of the stream (or `size` is 0).
/// - `s.write_some(data, size)` waits until something can be written, and writes what can be, at
///   least a byte. @returns how many bytes (0 only if `size` is 0).
/// - `s.read_some(data, size, ec)` and `s.write_some(data, size, ec)` do the same but report errors
///   through a `std::error_code& ec`, which they clear where there is none; the calls above throw
///   std::system_error.
///
/// All of them may wait, so all are cancellation points. A cancellation is no error of the stream:
/// operation_cancelled is thrown by the `std::error_code` overloads as well, here and in all of
/// coir. A call that throws it has moved no data.
template <class S>
inline constexpr bool is_stream_v = detail::is_stream<S>::value;

#if defined(__cpp_concepts) && __cpp_concepts >= 201907L
/// @brief is_stream_v<S> as a concept, where the language has them.
template <class S>
concept stream = is_stream_v<S>;
#endif

}  // namespace coir::io
