// SPDX-License-Identifier: BSL-1.0
// printf and its like. libc puts the text together in memory, and puts() and its like take it from
// there: so no fiber waits in the middle of libc's own code, which notes in the thread what to do
// if that ends.
#include "hook/interpose.hpp"
#include "hook/stream_buffer.hpp"
#include "hook/stream_hold.hpp"

#include <coir/posix.hpp>

#include <stdio.h>
#include <stdlib.h>
#include <cerrno>
#include <cstdarg>
#include <optional>

extern "C" {

// What _FORTIFY_SOURCE makes of them.
int __printf_chk(int flag, const char* format, ...);
int __fprintf_chk(FILE* stream, int flag, const char* format, ...);
int __vprintf_chk(int flag, const char* format, va_list arguments);
int __vfprintf_chk(FILE* stream, int flag, const char* format, va_list arguments);
int __vsnprintf_chk(char* text, std::size_t size, int flag, std::size_t capacity,
                    const char* format, va_list arguments);
int __dprintf_chk(int fd, int flag, const char* format, ...);
int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments);

}  // extern "C"

using namespace coir::hook::detail;

namespace {

// The format, and whether libc is to look at it more closely than usual.
struct directions {
    const char* format;
    std::optional<int> flag = {};
};

int print_by_libc(FILE* stream, const directions& how, va_list arguments) noexcept {
    return how.flag ? COIR_ORIGINAL(__vfprintf_chk)(stream, *how.flag, how.format, arguments)
                    : COIR_ORIGINAL(vfprintf)(stream, how.format, arguments);
}

// The text that libc makes of it. Where it cannot go on, what there is before that is printed.
class formatted_text {
public:
    formatted_text(const directions& how, va_list arguments) noexcept {
        va_list again;
        va_copy(again, arguments);
        length_ = how.flag ? ::__vsnprintf_chk(brief_, sizeof brief_, *how.flag, sizeof brief_,
                                               how.format, arguments)
                           : std::vsnprintf(brief_, sizeof brief_, how.format, arguments);
        if (length_ >= 0 && static_cast<std::size_t>(length_) < sizeof brief_) {
            size_ = static_cast<std::size_t>(length_);
        } else {
            print_to_memory(how, again);
        }
        va_end(again);
    }
    formatted_text(const formatted_text&) = delete;
    formatted_text& operator=(const formatted_text&) = delete;
    ~formatted_text() { std::free(long_); }

    const char* data() const noexcept { return long_ != nullptr ? long_ : brief_; }
    std::size_t size() const noexcept { return size_; }

    // Of the call, whose text was taken in full, or was not.
    int result(bool complete) const noexcept {
        if (complete && length_ < 0) {
            errno = error_;
        }
        return complete ? length_ : -1;
    }

private:
    void print_to_memory(const directions& how, va_list arguments) noexcept {
        FILE* const memory = ::open_memstream(&long_, &size_);
        length_ = -1;
        error_ = errno;
        if (memory != nullptr) {
            length_ = print_by_libc(memory, how, arguments);
            error_ = errno;
            COIR_ORIGINAL(fclose)(memory);
        }
    }

    char brief_[512];
    char* long_ = nullptr;
    std::size_t size_ = 0;
    int length_;
    int error_ = 0;
};

int print(FILE* stream, const directions& how, va_list arguments) noexcept {
    if (!takes_call() || is_wide(stream) || ::__fwritable(stream) == 0) {
        return print_by_libc(stream, how, arguments);
    }
    va_list again;
    va_copy(again, arguments);
    const formatted_text text(how, arguments);
    const stream_hold hold(stream);
    const int result = is_put_by_libc(stream, text.data(), text.size())
                           ? print_by_libc(stream, how, again)
                           : text.result(put(stream, text.data(), text.size()) == text.size());
    va_end(again);
    return result;
}

// To a descriptor, in one piece if that takes it so.
int print(int fd, const directions& how, va_list arguments) noexcept {
    const formatted_text text(how, arguments);
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t more = ::write(fd, text.data() + written, text.size() - written);
        if (more < 0) {
            break;
        }
        written += static_cast<std::size_t>(more);
    }
    return text.result(written == text.size());
}

}  // namespace

// With the arguments that follow `last`, in the call that is written there.
#define COIR_WITH_ARGUMENTS(last, call) \
    va_list arguments;                  \
    va_start(arguments, last);          \
    const int result = call;            \
    va_end(arguments);                  \
    return result

COIR_HOOK int printf(const char* format, ...) {
    COIR_WITH_ARGUMENTS(format, print(stdout, {format}, arguments));
}

COIR_HOOK int fprintf(FILE* stream, const char* format, ...) {
    COIR_WITH_ARGUMENTS(format, print(stream, {format}, arguments));
}

COIR_HOOK int vprintf(const char* format, va_list arguments) {
    return print(stdout, {format}, arguments);
}

COIR_HOOK int vfprintf(FILE* stream, const char* format, va_list arguments) {
    return print(stream, {format}, arguments);
}

COIR_HOOK int dprintf(int fd, const char* format, ...) {
    COIR_WITH_ARGUMENTS(format, ::vdprintf(fd, format, arguments));
}

COIR_HOOK int vdprintf(int fd, const char* format, va_list arguments) {
    return takes_call() ? print(fd, {format}, arguments)
                        : COIR_ORIGINAL(vdprintf)(fd, format, arguments);
}

COIR_HOOK int __printf_chk(int flag, const char* format, ...) {
    COIR_WITH_ARGUMENTS(format, print(stdout, {format, flag}, arguments));
}

COIR_HOOK int __fprintf_chk(FILE* stream, int flag, const char* format, ...) {
    COIR_WITH_ARGUMENTS(format, print(stream, {format, flag}, arguments));
}

COIR_HOOK int __vprintf_chk(int flag, const char* format, va_list arguments) {
    return print(stdout, {format, flag}, arguments);
}

COIR_HOOK int __vfprintf_chk(FILE* stream, int flag, const char* format, va_list arguments) {
    return print(stream, {format, flag}, arguments);
}

COIR_HOOK int __dprintf_chk(int fd, int flag, const char* format, ...) {
    COIR_WITH_ARGUMENTS(format, ::__vdprintf_chk(fd, flag, format, arguments));
}

COIR_HOOK int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments) {
    return takes_call() ? print(fd, {format, flag}, arguments)
                        : COIR_ORIGINAL(__vdprintf_chk)(fd, flag, format, arguments);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("printf"), gnu::nonnull(1)]] int _IO_printf(const char* format, ...);
COIR_HOOK [[gnu::alias("fprintf"), gnu::nonnull(2)]] int _IO_fprintf(FILE* stream,
                                                                     const char* format, ...);
COIR_HOOK [[gnu::alias("vfprintf"), gnu::nonnull(2)]] int _IO_vfprintf(FILE* stream,
                                                                       const char* format,
                                                                       va_list arguments);
