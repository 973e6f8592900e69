// SPDX-License-Identifier: BSL-1.0
// Reading from streams. Each call takes what is buffered and has the buffer refilled, as libc's
// does, but by refill(), where a fiber parks and libc blocks. On files, and on memory, that is
// libc's own again. The _unlocked calls do not lock, and neither does the code that is theirs.
#include "hook/interpose.hpp"
#include "hook/stream_buffer.hpp"
#include "hook/stream_hold.hpp"

#include <stdio.h>
#include <stdlib.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

extern "C" {

// Of libc's own, which its headers show to programs in part.
int __underflow(FILE* stream);
ssize_t __getdelim(char** line, std::size_t* capacity, int delimiter, FILE* stream);
char* __fgets_chk(char* text, std::size_t capacity, int size, FILE* stream);
char* __fgets_unlocked_chk(char* text, std::size_t capacity, int size, FILE* stream);
std::size_t __fread_chk(void* data, std::size_t capacity, std::size_t size, std::size_t count,
                        FILE* stream);
std::size_t __fread_unlocked_chk(void* data, std::size_t capacity, std::size_t size,
                                 std::size_t count, FILE* stream);

}  // extern "C"

using namespace coir::hook::detail;

namespace {

bool takes(const FILE* stream) noexcept { return takes_call() && !is_wide(stream); }

bool has_input(FILE* stream) noexcept { return buffered_input(stream) > 0 || refill(stream); }

int take_char(FILE* stream) noexcept {
    return has_input(stream) ? static_cast<unsigned char>(*stream->_IO_read_ptr++) : EOF;
}

// What is buffered of a line, or of `limit` bytes of it.
struct piece {
    const char* data;
    std::size_t size;
    bool is_end;  // of the line
};
piece take_piece(FILE* stream, int delimiter, std::size_t limit) noexcept {
    piece p{stream->_IO_read_ptr, std::min(buffered_input(stream), limit), false};
    if (const void* const found = std::memchr(p.data, delimiter, p.size); found != nullptr) {
        p.size = static_cast<std::size_t>(static_cast<const char*>(found) - p.data) + 1;
        p.is_end = true;
    }
    stream->_IO_read_ptr += p.size;
    return p;
}

// An error is told of by the call that meets it, whatever the indicator said before. One that is
// only "try again" does not keep what has been read from the caller.
char* take_line(char* text, int size, FILE* stream) noexcept {
    if (size <= 0) {
        return nullptr;
    }
    const auto limit = static_cast<std::size_t>(size) - 1;
    const bool had_failed = has_flag(stream, _IO_ERR_SEEN);
    clear_flag(stream, _IO_ERR_SEEN);
    std::size_t taken = 0;
    for (bool is_over = false; !is_over && taken < limit && has_input(stream);) {
        const piece p = take_piece(stream, '\n', limit - taken);
        std::memcpy(text + taken, p.data, p.size);
        taken += p.size;
        is_over = p.is_end;
    }
    const bool fails = has_flag(stream, _IO_ERR_SEEN) && errno != EAGAIN;
    if (had_failed) {
        set_flag(stream, _IO_ERR_SEEN);
    }
    if ((taken == 0 && limit > 0) || fails) {
        return nullptr;
    }
    text[taken] = '\0';
    return text;
}

bool grow(char*& line, std::size_t& capacity, std::size_t needed) noexcept {
    if (needed <= capacity) {
        return true;
    }
    const std::size_t larger = std::max(needed, 2 * capacity);
    void* const moved = std::realloc(line, larger);
    if (moved == nullptr) {
        return false;
    }
    line = static_cast<char*>(moved);
    capacity = larger;
    return true;
}

ssize_t take_delimited(char*& line, std::size_t& capacity, int delimiter, FILE* stream) noexcept {
    constexpr std::size_t smallest = 120;
    if (line == nullptr || capacity == 0) {
        capacity = 0;
        if (!grow(line, capacity, smallest)) {
            return -1;
        }
    }
    std::size_t taken = 0;
    for (bool is_over = false; !is_over && has_input(stream);) {
        constexpr auto most = static_cast<std::size_t>(std::numeric_limits<ssize_t>::max());
        const piece p = take_piece(stream, delimiter, buffered_input(stream));
        if (p.size >= most - taken) {
            errno = EOVERFLOW;
            return -1;
        }
        if (!grow(line, capacity, taken + p.size + 1)) {
            return -1;
        }
        std::memcpy(line + taken, p.data, p.size);
        taken += p.size;
        is_over = p.is_end;
    }
    if (taken == 0) {
        return -1;
    }
    line[taken] = '\0';
    return static_cast<ssize_t>(taken);
}

std::size_t take_bytes(char* data, std::size_t size, FILE* stream) noexcept {
    std::size_t taken = 0;
    while (taken < size) {
        const std::size_t left = size - taken;
        if (buffered_input(stream) > 0) {
            const std::size_t part = std::min(buffered_input(stream), left);
            std::memcpy(data + taken, stream->_IO_read_ptr, part);
            stream->_IO_read_ptr += part;
            taken += part;
        } else if (!may_wait(stream)) {
            return taken + COIR_ORIGINAL(fread_unlocked)(data + taken, 1, left, stream);
        } else if (const std::size_t block = buffer_size(stream); left >= block && block > 0) {
            const std::size_t whole = left - (block >= 128 ? left % block : 0);
            const std::size_t part = read_directly(stream, data + taken, whole);
            taken += part;
            if (part == 0) {
                break;
            }
        } else if (!refill(stream)) {
            break;
        }
    }
    return taken;
}

std::size_t take_items(void* data, std::size_t size, std::size_t count, FILE* stream) noexcept {
    const std::size_t bytes = size * count;
    if (bytes == 0) {
        return 0;
    }
    const std::size_t taken = take_bytes(static_cast<char*>(data), bytes, stream);
    return taken == bytes ? count : taken / size;
}

}  // namespace

// Characters.

COIR_HOOK int fgetc(FILE* stream) {
    if (!takes(stream)) {
        return COIR_ORIGINAL(fgetc)(stream);
    }
    const stream_hold hold(stream);
    return take_char(stream);
}

COIR_HOOK int fgetc_unlocked(FILE* stream) {
    return takes(stream) ? take_char(stream) : COIR_ORIGINAL(fgetc_unlocked)(stream);
}

COIR_HOOK int getchar() { return ::fgetc(stdin); }
COIR_HOOK int getchar_unlocked() { return ::fgetc_unlocked(stdin); }

// What getc_unlocked becomes in a program when nothing is buffered; and, of the two, the one that
// leaves the character there.
COIR_HOOK int __uflow(FILE* stream) {
    return takes(stream) ? take_char(stream) : COIR_ORIGINAL(__uflow)(stream);
}

COIR_HOOK int __underflow(FILE* stream) {
    if (!takes(stream)) {
        return COIR_ORIGINAL(__underflow)(stream);
    }
    return has_input(stream) ? static_cast<unsigned char>(*stream->_IO_read_ptr) : EOF;
}

// Lines.

COIR_HOOK char* fgets(char* text, int size, FILE* stream) {
    if (!takes(stream)) {
        return COIR_ORIGINAL(fgets)(text, size, stream);
    }
    const stream_hold hold(stream);
    return take_line(text, size, stream);
}

COIR_HOOK char* fgets_unlocked(char* text, int size, FILE* stream) {
    return takes(stream) ? take_line(text, size, stream)
                         : COIR_ORIGINAL(fgets_unlocked)(text, size, stream);
}

COIR_HOOK ssize_t __getdelim(char** line, std::size_t* capacity, int delimiter, FILE* stream) {
    if (!takes(stream) || line == nullptr || capacity == nullptr) {
        return COIR_ORIGINAL(__getdelim)(line, capacity, delimiter, stream);
    }
    const stream_hold hold(stream);
    return take_delimited(*line, *capacity, delimiter, stream);
}

COIR_HOOK_OF_FREE_NAME ssize_t getline(char** line, std::size_t* capacity, FILE* stream) {
    return ::__getdelim(line, capacity, '\n', stream);
}

// Bytes.

COIR_HOOK std::size_t fread(void* data, std::size_t size, std::size_t count, FILE* stream) {
    if (!takes(stream)) {
        return COIR_ORIGINAL(fread)(data, size, count, stream);
    }
    const stream_hold hold(stream);
    return take_items(data, size, count, stream);
}

COIR_HOOK std::size_t fread_unlocked(void* data, std::size_t size, std::size_t count,
                                     FILE* stream) {
    return takes(stream) ? take_items(data, size, count, stream)
                         : COIR_ORIGINAL(fread_unlocked)(data, size, count, stream);
}

COIR_HOOK_OF_FREE_NAME int getw(FILE* stream) {
    int word = 0;
    return ::fread(&word, sizeof word, 1, stream) == 1 ? word : EOF;
}

// Other names of the same.
COIR_HOOK [[gnu::alias("fgetc")]] int getc(FILE* stream);
COIR_HOOK [[gnu::alias("fgetc")]] int _IO_getc(FILE* stream);
COIR_HOOK [[gnu::alias("fgetc_unlocked")]] int getc_unlocked(FILE* stream);
COIR_HOOK [[gnu::alias("fgets")]] char* _IO_fgets(char* text, int size, FILE* stream);
COIR_HOOK_OF_FREE_NAME [[gnu::alias("__getdelim")]] ssize_t getdelim(char** line,
                                                                     std::size_t* capacity,
                                                                     int delimiter, FILE* stream);
COIR_HOOK [[gnu::alias("fread")]] std::size_t _IO_fread(void* data, std::size_t size,
                                                        std::size_t count, FILE* stream);

// What _FORTIFY_SOURCE makes of them. libc's own ends the program where the buffer is too small.

COIR_HOOK char* __fgets_chk(char* text, std::size_t capacity, int size, FILE* stream) {
    return size > 0 && static_cast<std::size_t>(size) > capacity
               ? COIR_ORIGINAL(__fgets_chk)(text, capacity, size, stream)
               : ::fgets(text, size, stream);
}

COIR_HOOK char* __fgets_unlocked_chk(char* text, std::size_t capacity, int size, FILE* stream) {
    return size > 0 && static_cast<std::size_t>(size) > capacity
               ? COIR_ORIGINAL(__fgets_unlocked_chk)(text, capacity, size, stream)
               : ::fgets_unlocked(text, size, stream);
}

namespace {

bool overflows(std::size_t capacity, std::size_t size, std::size_t count) noexcept {
    std::size_t bytes = 0;
    return __builtin_mul_overflow(size, count, &bytes) || bytes > capacity;
}

}  // namespace

COIR_HOOK std::size_t __fread_chk(void* data, std::size_t capacity, std::size_t size,
                                  std::size_t count, FILE* stream) {
    return overflows(capacity, size, count)
               ? COIR_ORIGINAL(__fread_chk)(data, capacity, size, count, stream)
               : ::fread(data, size, count, stream);
}

COIR_HOOK std::size_t __fread_unlocked_chk(void* data, std::size_t capacity, std::size_t size,
                                           std::size_t count, FILE* stream) {
    return overflows(capacity, size, count)
               ? COIR_ORIGINAL(__fread_unlocked_chk)(data, capacity, size, count, stream)
               : ::fread_unlocked(data, size, count, stream);
}
