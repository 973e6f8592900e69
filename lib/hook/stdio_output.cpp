// SPDX-License-Identifier: BSL-1.0
// Writing to streams: into the buffer, and from there by flush(), where a fiber parks and libc
// blocks. What cannot wait is libc's own call. The _unlocked calls do not lock.
#include "hook/interpose.hpp"
#include "hook/lock_owner.hpp"
#include "hook/retry_pace.hpp"
#include "hook/stream_buffer.hpp"
#include "hook/stream_hold.hpp"

#include <coir/wait_queue.hpp>

#include <stdio.h>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <exception>
#include <vector>

extern "C" {

// Exported by libc, and in none of its headers: the list of all streams.
FILE* _IO_iter_begin() noexcept;
FILE* _IO_iter_end() noexcept;
FILE* _IO_iter_next(FILE* position) noexcept;
FILE* _IO_iter_file(FILE* position) noexcept;
void _IO_list_lock() noexcept;
void _IO_list_unlock() noexcept;

}  // extern "C"

using namespace coir::hook::detail;
using coir::deadline;

namespace {

int put_char(FILE* stream, int character) noexcept {
    const char byte = static_cast<char>(character);
    if (is_put_by_libc(stream, &byte, 1)) {
        return COIR_ORIGINAL(fputc_unlocked)(character, stream);
    }
    return put(stream, &byte, 1) == 1 ? static_cast<unsigned char>(byte) : EOF;
}

int put_text(FILE* stream, const char* text) noexcept {
    const std::size_t size = std::strlen(text);
    if (is_put_by_libc(stream, text, size)) {
        return COIR_ORIGINAL(fputs_unlocked)(text, stream);
    }
    return put(stream, text, size) == size ? 1 : EOF;
}

std::size_t put_items(const void* data, std::size_t size, std::size_t count,
                      FILE* stream) noexcept {
    const std::size_t bytes = size * count;
    if (bytes == 0) {
        return 0;
    }
    const auto* const text = static_cast<const char*>(data);
    if (is_put_by_libc(stream, text, bytes)) {
        return COIR_ORIGINAL(fwrite_unlocked)(data, size, count, stream);
    }
    const std::size_t taken = put(stream, text, bytes);
    return taken == bytes || taken == lost_buffer ? count : taken / size;
}

int flush_one(FILE* stream) noexcept {
    return settle(stream) ? COIR_ORIGINAL(fflush_unlocked)(stream) : EOF;
}

// A glance at a stream that somebody else uses just now. That one is in a call, and what it puts
// there after the glance was put after the flush.
__attribute__((no_sanitize("thread"))) bool seems_pending(FILE* stream) noexcept {
    return has_output(stream);
}

// Of one round through all streams. The list is locked only while nothing waits, and the stream
// that is written out is held, so that whoever closes it waits.
class flush_round {
public:
    // Writes out one stream that has not had its turn. False: there is none.
    bool go_on(bool& failed) {
        is_others_ = false;
        ::_IO_list_lock();
        const listed guard;
        for (FILE* at = ::_IO_iter_begin(); at != ::_IO_iter_end(); at = ::_IO_iter_next(at)) {
            FILE* const stream = ::_IO_iter_file(at);
            if (std::find(done_.begin(), done_.end(), stream) != done_.end()) {
                continue;
            }
            const stream_hold hold(stream, stream_hold::attempt::only);
            if (!hold) {
                is_others_ = is_others_ || seems_pending(stream);
                continue;
            }
            done_.push_back(stream);
            if (is_wide(stream) || pending_output(stream) > 0) {
                guard.unlock();
                failed = flush_one(stream) != 0 || failed;
                return true;
            }
        }
        return false;
    }

    // Whether somebody else has one that has something to write.
    bool is_others() const noexcept { return is_others_; }

private:
    struct listed {
        mutable bool locked = true;
        void unlock() const noexcept {
            if (locked) {
                locked = false;
                ::_IO_list_unlock();
            }
        }
        ~listed() { unlock(); }
    };

    std::vector<FILE*> done_;
    bool is_others_ = false;
};

int flush_all() noexcept {
    bool failed = false;
    try {
        flush_round round;
        for (retry_pace pace;;) {
            while (round.go_on(failed)) {
            }
            if (!round.is_others()) {
                break;
            }
            coir::wait_queue nobody;
            nobody.park(deadline::after(pace.next_pause()), {"a stream that another one uses"},
                        coir::cancellable::no);
        }
    } catch (const std::exception&) {
        errno = ENOMEM;
        failed = true;
    }
    return failed ? EOF : 0;
}

}  // namespace

// Characters.

COIR_HOOK int fputc(int character, FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(fputc)(character, stream);
    }
    const stream_hold hold(stream);
    return put_char(stream, character);
}

COIR_HOOK int fputc_unlocked(int character, FILE* stream) {
    return takes_call() ? put_char(stream, character)
                        : COIR_ORIGINAL(fputc_unlocked)(character, stream);
}

COIR_HOOK int putchar(int character) { return ::fputc(character, stdout); }
COIR_HOOK int putchar_unlocked(int character) { return ::fputc_unlocked(character, stdout); }

// What putc_unlocked becomes in a program when the buffer is full.
COIR_HOOK int __overflow(FILE* stream, int character) {
    return takes_call() && character != EOF ? put_char(stream, character)
                                            : COIR_ORIGINAL(__overflow)(stream, character);
}

// Text.

COIR_HOOK int fputs(const char* text, FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(fputs)(text, stream);
    }
    const stream_hold hold(stream);
    return put_text(stream, text);
}

COIR_HOOK int fputs_unlocked(const char* text, FILE* stream) {
    return takes_call() ? put_text(stream, text) : COIR_ORIGINAL(fputs_unlocked)(text, stream);
}

COIR_HOOK int puts(const char* text) {
    if (!takes_call()) {
        return COIR_ORIGINAL(puts)(text);
    }
    const stream_hold hold(stdout);
    if (put_text(stdout, text) == EOF || put_char(stdout, '\n') == EOF) {
        return EOF;
    }
    return static_cast<int>(std::min<std::size_t>(INT_MAX, std::strlen(text) + 1));
}

// Bytes.

COIR_HOOK std::size_t fwrite(const void* data, std::size_t size, std::size_t count, FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(fwrite)(data, size, count, stream);
    }
    const stream_hold hold(stream);
    return put_items(data, size, count, stream);
}

COIR_HOOK std::size_t fwrite_unlocked(const void* data, std::size_t size, std::size_t count,
                                      FILE* stream) {
    return takes_call() ? put_items(data, size, count, stream)
                        : COIR_ORIGINAL(fwrite_unlocked)(data, size, count, stream);
}

COIR_HOOK_OF_FREE_NAME int putw(int word, FILE* stream) {
    return ::fwrite(&word, sizeof word, 1, stream) == 1 ? 0 : EOF;
}

COIR_HOOK int fflush(FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(fflush)(stream);
    }
    if (stream == nullptr) {
        return flush_all();
    }
    const stream_hold hold(stream);
    return flush_one(stream);
}

COIR_HOOK int fflush_unlocked(FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(fflush_unlocked)(stream);
    }
    return stream == nullptr ? flush_all() : flush_one(stream);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("fputc")]] int putc(int character, FILE* stream);
COIR_HOOK [[gnu::alias("fputc"), gnu::nonnull(2)]] int _IO_putc(int character, FILE* stream);
COIR_HOOK [[gnu::alias("fputc_unlocked")]] int putc_unlocked(int character, FILE* stream);
COIR_HOOK [[gnu::alias("fputs"), gnu::nonnull]] int _IO_fputs(const char* text, FILE* stream);
COIR_HOOK [[gnu::alias("puts"), gnu::nonnull]] int _IO_puts(const char* text);
COIR_HOOK [[gnu::alias("fwrite"), gnu::nonnull(4)]] std::size_t _IO_fwrite(const void* data,
                                                                           std::size_t size,
                                                                           std::size_t count,
                                                                           FILE* stream);
COIR_HOOK [[gnu::alias("fflush")]] int _IO_fflush(FILE* stream);
