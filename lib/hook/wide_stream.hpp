// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/stream_buffer.hpp"

#include <stdio.h>
#include <stdio_ext.h>
#include <wchar.h>
#include <cstdarg>
#include <cstddef>

// stream_buffer.hpp for streams of wide characters. Such a stream has a second buffer, which no
// header shows, and a conversion with a state between that one and the buffer of bytes. So libc
// itself fills and empties the buffers, and makes its calls to the kernel through us: see
// wide_stream.cpp.
//
// While a fiber waits, what is being written is still in the buffer of wide characters. That is as
// it is with threads: code that cannot be kept out (the exit of the program, the child of a fork)
// writes it, too.
//
// The caller holds the stream, or answers for it.
namespace coir::hook::detail {

// Whether it is one of wide characters, or is made one of a stream that is neither yet.
bool becomes_wide(FILE* stream) noexcept;

// Whether there is something to read in the buffers, or to be had. False: the end, or an error.
bool has_wide_input(FILE* stream) noexcept;

// A character that is there without asking the kernel, and stays there; WEOF: there is none. Only
// for a stream that has nothing to write.
wint_t next_wide(FILE* stream) noexcept;

// As vfwscanf(), by which libc has it, of what next_wide() gives one after the other: what comes
// behind that is an error.
using wide_scanner = int(FILE* stream, const wchar_t* format, va_list arguments);
struct scan_result {
    int result;
    bool wants_more;  // the scan has come to the end of that
};
scan_result scan_what_is_there(FILE* stream, wide_scanner* by_libc, const wchar_t* format,
                               va_list arguments) noexcept;

// How many characters have been put and not written yet.
inline std::size_t pending_wide_output(FILE* stream) noexcept { return ::__fpending(stream); }

// Whether libc's own call for these characters does not wait.
bool is_put_by_libc(FILE* stream, const wchar_t* text, std::size_t size) noexcept;

// As fputwc(), else.
wint_t put_wide(FILE* stream, wchar_t character) noexcept;

// As fputws(), else. @returns how many were taken.
std::size_t put_wide(FILE* stream, const wchar_t* text, std::size_t size) noexcept;

// Writes out what is pending. On an error it stays there, as in libc, unless a scope is the cause.
bool flush_wide(FILE* stream) noexcept;

}  // namespace coir::hook::detail
