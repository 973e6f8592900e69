// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdio.h>
#include <stdio_ext.h>
#include <cstddef>

// What libc's streams do where they read and write, in a fiber's way: the buffer of a stream is
// filled by coir::posix::read, and emptied by coir::posix::write. Everything else is left to libc.
// The parts of FILE that are used are those that its header shows, as inline functions of libc's in
// programs use them, too.
//
// While the fiber waits the stream is such that libc could use it: what is being written has left
// its buffer, and what is read is not there yet. So code that cannot be kept out (the exit of the
// program, the child of a fork) finds nothing half done.
//
// For streams of bytes; wide_stream.hpp has those of wide characters. The caller holds the stream,
// or answers for it (the _unlocked calls).
namespace coir::hook::detail {

// Of the bits that its header shows. Some are asked for before the stream is the caller's, as libc
// does; so they are read and written as an atomic is.
inline bool has_flag(const FILE* stream, int flag) noexcept {
    return (__atomic_load_n(&stream->_flags, __ATOMIC_RELAXED) & flag) != 0;
}
inline void set_flag(FILE* stream, int flag) noexcept {
    __atomic_fetch_or(&stream->_flags, flag, __ATOMIC_RELAXED);
}
inline void clear_flag(FILE* stream, int flag) noexcept {
    __atomic_fetch_and(&stream->_flags, ~flag, __ATOMIC_RELAXED);
}

inline bool is_wide(const FILE* stream) noexcept { return stream->_mode > 0; }

// What can be read, or has been put back, without asking the kernel.
inline std::size_t buffered_input(const FILE* stream) noexcept {
    return static_cast<std::size_t>(stream->_IO_read_end - stream->_IO_read_ptr);
}

// What has been put and not written yet.
inline std::size_t pending_output(const FILE* stream) noexcept {
    return stream->_IO_write_ptr > stream->_IO_write_base
               ? static_cast<std::size_t>(stream->_IO_write_ptr - stream->_IO_write_base)
               : 0;
}

inline std::size_t buffer_size(const FILE* stream) noexcept {
    return static_cast<std::size_t>(stream->_IO_buf_end - stream->_IO_buf_base);
}

// Whether there is something of either kind to write.
inline bool has_output(FILE* stream) noexcept {
    return is_wide(stream) ? ::__fpending(stream) > 0 : pending_output(stream) > 0;
}

// Whether its descriptor is one that may make a caller wait: there is one, and it is no file on
// disk. Asks the kernel, since a program may put another file in a descriptor's place.
bool has_waiting_descriptor(FILE* stream) noexcept;

// The same for a stream of bytes; others are not for the functions below.
bool may_wait(FILE* stream) noexcept;

// Has something to read in the buffer of a stream that has nothing there; by libc itself where that
// does not wait. False: the end, or an error. Then the stream's indicators and errno are as libc
// sets them.
bool refill(FILE* stream) noexcept;

// Reads at least a byte past the buffer, of a stream that may wait and has nothing buffered; less
// than asked for if that is all that is there. 0 is as refill()'s false.
std::size_t read_directly(FILE* stream, char* data, std::size_t size) noexcept;

// Writes out what is pending in a stream that may wait. On an error the rest is gone, as in libc.
bool flush(FILE* stream) noexcept;

// Whether libc's own call does not wait, or knows better: for streams that are none of the above.
bool is_put_by_libc(FILE* stream, const char* data, std::size_t size) noexcept;

// As fwrite of `size` bytes, else. @returns how many were taken; `lost_buffer` if all were, and
// could not be written though the stream had to be flushed: fwrite takes that for a success, and
// fputs does not.
inline constexpr std::size_t lost_buffer = static_cast<std::size_t>(-1);
std::size_t put(FILE* stream, const char* data, std::size_t size) noexcept;

// For streams of either kind.

// Leaves nothing to write to a call of libc's own that would write it out first. False: there was
// an error.
bool settle(FILE* stream) noexcept;

// Writes to the descriptor what is in no buffer any more, all of it unless an error comes. @returns
// how much that is.
std::size_t write_out(FILE* stream, const char* data, std::size_t size) noexcept;

// Before a read of `reader`. libc does it when it reads from a terminal, or without a buffer: who
// is asked sees the question.
void flush_standard_output(FILE* reader) noexcept;

}  // namespace coir::hook::detail
