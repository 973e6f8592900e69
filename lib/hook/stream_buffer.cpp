// SPDX-License-Identifier: BSL-1.0
#include "hook/stream_buffer.hpp"

#include "hook/broken_pipe.hpp"
#include "hook/cancelled.hpp"
#include "hook/interpose.hpp"
#include "hook/stream_hold.hpp"
#include "hook/wide_stream.hpp"
#include "net/posix_file_kind.hpp"

#include <coir/cancellation.hpp>
#include <coir/posix.hpp>

#include <limits.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

extern "C" {

// Exported by libc, and in none of its headers.
void _IO_doallocbuf(FILE* stream) noexcept;
int __underflow(FILE* stream);

}  // extern "C"

namespace coir::hook::detail {

namespace {

void note_error(FILE* stream) noexcept { set_flag(stream, _IO_ERR_SEEN); }

// libc keeps the position in a file that has one.
void advance(FILE* stream, std::size_t moved) noexcept {
    if (stream->_offset >= 0) {
        stream->_offset += static_cast<__off64_t>(moved);
    }
}

bool is_by_line(FILE* stream) noexcept { return ::__flbf(stream) != 0; }

// As when something was read, or was about to be.
void set_input(FILE* stream, std::size_t size) noexcept {
    char* const buffer = stream->_IO_buf_base;
    stream->_IO_read_base = stream->_IO_read_ptr = buffer;
    stream->_IO_read_end = buffer + size;
    stream->_IO_write_base = stream->_IO_write_ptr = stream->_IO_write_end = buffer;
}

// As when everything was written. putc() has to call libc for each character, or not until the
// buffer is full.
void set_output_empty(FILE* stream) noexcept {
    char* const buffer = stream->_IO_buf_base;
    const bool each = is_by_line(stream) || buffer_size(stream) <= 1;
    stream->_IO_read_base = stream->_IO_read_ptr = stream->_IO_read_end = buffer;
    stream->_IO_write_base = stream->_IO_write_ptr = buffer;
    stream->_IO_write_end = each ? buffer : stream->_IO_buf_end;
}

// What has been read and not consumed lies before what was put: libc must seek first, and fails
// where that is not possible.
bool needs_seek(const FILE* stream) noexcept {
    return stream->_IO_read_end != stream->_IO_write_base;
}

bool takes_at_once(int fd) noexcept {
    pollfd one{fd, POLLOUT, 0};
    return COIR_ORIGINAL(poll)(&one, 1, 0) > 0;
}

ssize_t write_some(int fd, const char* data, std::size_t size) noexcept {
    return raise_if_socket_broken(fd, posix::write(fd, data, size));
}

// In a scope that is cancelled what does not wait is written all the same: programs say why they
// end, and an indicator that they once set stays. A pipe that is ready takes PIPE_BUF bytes.
ssize_t write_some_cancelled(int fd, const char* data, std::size_t size) noexcept {
    if (!takes_at_once(fd)) {
        errno = error_of_cancellation();
        return -1;
    }
    ssize_t written = 0;
    shield([&] { written = write_some(fd, data, std::min<std::size_t>(size, PIPE_BUF)); });
    return written;
}

// Leaves everything to libc that comes before a read: what was put is written, what was put back is
// over, there is a buffer. True: there was something to read. libc stops short of the read itself
// where the end of the file was seen.
bool prepare_to_read(FILE* stream) noexcept {
    set_flag(stream, _IO_EOF_SEEN);
    COIR_ORIGINAL(__underflow)(stream);
    clear_flag(stream, _IO_EOF_SEEN);
    if (buffered_input(stream) > 0) {
        return true;
    }
    if (stream->_IO_buf_base == nullptr) {
        ::_IO_doallocbuf(stream);
    }
    flush_standard_output(stream);
    set_input(stream, 0);
    return false;
}

std::size_t read_some(FILE* stream, char* data, std::size_t size) noexcept {
    const ssize_t got = posix::read(stream->_fileno, data, size);
    if (got > 0) {
        advance(stream, static_cast<std::size_t>(got));
        return static_cast<std::size_t>(got);
    }
    if (got == 0) {
        set_flag(stream, _IO_EOF_SEEN);
        stream->_offset = -1;  // others may go on with the file
    } else {
        note_error(stream);
    }
    return 0;
}

// Whether there is nothing that has to come before a read and fails.
bool may_read(FILE* stream) noexcept {
    if (has_flag(stream, _IO_EOF_SEEN)) {  // which is sticky
        return false;
    }
    if (::__freadable(stream) == 0) {
        COIR_ORIGINAL(__underflow)(stream);  // says so
        return false;
    }
    return pending_output(stream) == 0 || flush(stream);
}

void append(FILE* stream, const char* data, std::size_t size) noexcept {
    std::memcpy(stream->_IO_write_ptr, data, size);
    stream->_IO_write_ptr += size;
}

// How many bytes go into the buffer now; to a terminal and its like as much as makes a line.
std::size_t room(FILE* stream) noexcept {
    const char* const end = is_by_line(stream) ? stream->_IO_buf_end : stream->_IO_write_end;
    return end > stream->_IO_write_ptr ? static_cast<std::size_t>(end - stream->_IO_write_ptr) : 0;
}

// Up to and including the last newline; 0: there is none.
std::size_t lines_in(const char* data, std::size_t size) noexcept {
    const void* const last = ::memrchr(data, '\n', size);
    return last != nullptr ? static_cast<std::size_t>(static_cast<const char*>(last) - data) + 1
                           : 0;
}

// Whether it only goes into the buffer, which is there and is for output now.
bool is_buffered_only(FILE* stream, const char* data, std::size_t size) noexcept {
    if (pending_output(stream) == 0 && stream->_IO_write_end == stream->_IO_write_ptr) {
        return false;
    }
    return size <= room(stream) && (!is_by_line(stream) || lines_in(data, size) == 0);
}

// As libc does it: what fits fills the buffer, whole blocks go past it, and the rest is buffered
// again.
std::size_t put_and_write(FILE* stream, const char* data, std::size_t size) noexcept {
    const bool by_line = is_by_line(stream);
    const std::size_t capacity = room(stream);
    std::size_t first = std::min(capacity, size);
    bool must_flush = size > capacity;
    if (by_line && size <= capacity) {
        if (const std::size_t lines = lines_in(data, size); lines > 0) {
            first = lines;
            must_flush = true;
        }
    }
    append(stream, data, first);
    std::size_t done = first;
    if (!must_flush) {
        return size;
    }
    if (!flush(stream)) {
        return done == size ? lost_buffer : done;
    }
    const std::size_t block = buffer_size(stream);
    const std::size_t left = size - done;
    if (const std::size_t direct = left - (block >= 128 ? left % block : 0); direct > 0) {
        const std::size_t written = write_out(stream, data + done, direct);
        done += written;
        if (written < direct) {
            return done;
        }
    }
    if (const std::size_t lines = by_line ? lines_in(data + done, size - done) : 0; lines > 0) {
        append(stream, data + done, lines);
        if (!flush(stream)) {
            return done;
        }
        done += lines;
    }
    append(stream, data + done, size - done);
    return size;
}

}  // namespace

bool has_waiting_descriptor(FILE* stream) noexcept {
    using coir::detail::file_kind;
    const int before = errno;
    const int fd = ::fileno(stream);  // that of a stream in memory is not set
    const file_kind kind = fd < 0 ? file_kind::invalid : coir::detail::file_kind_of(fd);
    errno = before;
    return kind == file_kind::pipe || kind == file_kind::other;
}

bool may_wait(FILE* stream) noexcept { return !is_wide(stream) && has_waiting_descriptor(stream); }

std::size_t write_out(FILE* stream, const char* data, std::size_t size) noexcept {
    std::size_t written = 0;
    while (written < size) {
        const ssize_t more =
            is_cancelled() ? write_some_cancelled(stream->_fileno, data + written, size - written)
                           : write_some(stream->_fileno, data + written, size - written);
        if (more < 0) {
            note_error(stream);
            break;
        }
        written += static_cast<std::size_t>(more);
    }
    advance(stream, written);
    return written;
}

void flush_standard_output(FILE* reader) noexcept {
    if (!is_by_line(reader) && buffer_size(reader) > 1) {
        return;
    }
    if (stdout == nullptr || stdout == reader || !is_by_line(stdout) || !has_output(stdout)) {
        return;
    }
    const int before = errno;
    const stream_hold hold(stdout);
    if (settle(stdout) && has_output(stdout)) {
        COIR_ORIGINAL(fflush_unlocked)(stdout);
    }
    errno = before;
}

bool refill(FILE* stream) noexcept {
    if (!may_wait(stream)) {
        return COIR_ORIGINAL(__underflow)(stream) != EOF;
    }
    if (!may_read(stream)) {
        return false;
    }
    if (prepare_to_read(stream)) {
        return true;
    }
    const std::size_t got = read_some(stream, stream->_IO_buf_base, buffer_size(stream));
    set_input(stream, got);
    return got > 0;
}

std::size_t read_directly(FILE* stream, char* data, std::size_t size) noexcept {
    if (!may_read(stream)) {
        return 0;
    }
    if (prepare_to_read(stream)) {
        const std::size_t got = std::min(size, buffered_input(stream));
        std::memcpy(data, stream->_IO_read_ptr, got);
        stream->_IO_read_ptr += got;
        return got;
    }
    return read_some(stream, data, size);
}

bool flush(FILE* stream) noexcept {
    const std::size_t size = pending_output(stream);
    if (size == 0) {
        return true;
    }
    if (needs_seek(stream)) {
        return COIR_ORIGINAL(fflush_unlocked)(stream) == 0;
    }
    const char* data = stream->_IO_write_base;
    const std::unique_ptr<char[]> copy(new (std::nothrow) char[size]);
    if (copy != nullptr) {
        data = static_cast<const char*>(std::memcpy(copy.get(), data, size));
    }
    set_output_empty(stream);
    return write_out(stream, data, size) == size;
}

bool is_put_by_libc(FILE* stream, const char* data, std::size_t size) noexcept {
    return is_wide(stream) || (!is_buffered_only(stream, data, size) && !may_wait(stream));
}

std::size_t put(FILE* stream, const char* data, std::size_t size) noexcept {
    if (size == 0) {
        return 0;
    }
    if (is_buffered_only(stream, data, size)) {
        append(stream, data, size);
        return size;
    }
    if (pending_output(stream) == 0 && COIR_ORIGINAL(__overflow)(stream, EOF) == EOF) {
        return 0;  // it is not for writing
    }
    return needs_seek(stream) ? COIR_ORIGINAL(fwrite_unlocked)(data, 1, size, stream)
                              : put_and_write(stream, data, size);
}

bool settle(FILE* stream) noexcept {
    if (!has_output(stream) || !has_waiting_descriptor(stream)) {
        return true;
    }
    return is_wide(stream) ? flush_wide(stream) : flush(stream);
}

}  // namespace coir::hook::detail
