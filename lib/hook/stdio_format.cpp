// SPDX-License-Identifier: BSL-1.0
// printf and its like. libc puts the text together in memory, and from there it is written: so no
// fiber waits in the middle of libc's own code, which notes in the thread what to do if that ends.
#include "hook/argument_forwarding.hpp"
#include "hook/formatted_text.hpp"
#include "hook/interpose.hpp"
#include "hook/stream_buffer.hpp"
#include "hook/stream_hold.hpp"

#include <coir/posix.hpp>

#include <stdio.h>
#include <cerrno>
#include <cstdarg>

extern "C" {

// What _FORTIFY_SOURCE makes of them.
int __printf_chk(int flag, const char* format, ...);
int __fprintf_chk(FILE* stream, int flag, const char* format, ...);
int __vprintf_chk(int flag, const char* format, va_list arguments);
int __vfprintf_chk(FILE* stream, int flag, const char* format, va_list arguments);
int __dprintf_chk(int fd, int flag, const char* format, ...);
int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments);

}  // extern "C"

using namespace coir::hook::detail;

namespace {

int print(FILE* stream, const directions& how, va_list arguments) noexcept {
    if (!takes_call() || is_wide(stream) || ::__fwritable(stream) == 0) {
        return print_by_libc(stream, how, arguments);
    }
    va_list again;
    va_copy(again, arguments);
    const int before = errno;
    const formatted_text text(how, arguments);
    const stream_hold hold(stream);
    int result = 0;
    if (is_put_by_libc(stream, text.data(), text.size())) {
        errno = before;
        result = print_by_libc(stream, how, again);
    } else {
        result = text.result(put(stream, text.data(), text.size()) == text.size());
    }
    va_end(again);
    return result;
}

// To a descriptor, in one piece if that takes it so.
int print(int fd, const directions& how, va_list arguments) noexcept {
    if (!takes_call()) {
        return how.flag ? COIR_ORIGINAL(__vdprintf_chk)(fd, *how.flag, how.format, arguments)
                        : COIR_ORIGINAL(vdprintf)(fd, how.format, arguments);
    }
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

COIR_HOOK int printf(const char* format, ...) {
    COIR_RETURN_FORWARDING(format, print(stdout, {format}, arguments));
}

COIR_HOOK int fprintf(FILE* stream, const char* format, ...) {
    COIR_RETURN_FORWARDING(format, print(stream, {format}, arguments));
}

COIR_HOOK int vprintf(const char* format, va_list arguments) {
    return print(stdout, {format}, arguments);
}

COIR_HOOK int vfprintf(FILE* stream, const char* format, va_list arguments) {
    return print(stream, {format}, arguments);
}

COIR_HOOK_OF_FREE_NAME int dprintf(int fd, const char* format, ...) {
    COIR_RETURN_FORWARDING(format, print(fd, {format}, arguments));
}

COIR_HOOK_OF_FREE_NAME int vdprintf(int fd, const char* format, va_list arguments) {
    return print(fd, {format}, arguments);
}

COIR_HOOK int __printf_chk(int flag, const char* format, ...) {
    COIR_RETURN_FORWARDING(format, print(stdout, {format, flag}, arguments));
}

COIR_HOOK int __fprintf_chk(FILE* stream, int flag, const char* format, ...) {
    COIR_RETURN_FORWARDING(format, print(stream, {format, flag}, arguments));
}

COIR_HOOK int __vprintf_chk(int flag, const char* format, va_list arguments) {
    return print(stdout, {format, flag}, arguments);
}

COIR_HOOK int __vfprintf_chk(FILE* stream, int flag, const char* format, va_list arguments) {
    return print(stream, {format, flag}, arguments);
}

COIR_HOOK int __dprintf_chk(int fd, int flag, const char* format, ...) {
    COIR_RETURN_FORWARDING(format, print(fd, {format, flag}, arguments));
}

COIR_HOOK int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments) {
    return print(fd, {format, flag}, arguments);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("printf"), gnu::nonnull(1)]] int _IO_printf(const char* format, ...);
COIR_HOOK [[gnu::alias("fprintf"), gnu::nonnull(2)]] int _IO_fprintf(FILE* stream,
                                                                     const char* format, ...);
COIR_HOOK [[gnu::alias("vfprintf"), gnu::nonnull(2)]] int _IO_vfprintf(FILE* stream,
                                                                       const char* format,
                                                                       va_list arguments);
