// SPDX-License-Identifier: BSL-1.0
// Writing to streams of wide characters, printf's texts among it: those libc makes in memory, for
// the reason that stdio_format.cpp gives. The _unlocked calls do not lock.
#include "hook/argument_forwarding.hpp"
#include "hook/interpose.hpp"
#include "hook/stream_hold.hpp"
#include "hook/wide_stream.hpp"
#include "hook/wide_text.hpp"

#include <stdio.h>
#include <stdio_ext.h>
#include <wchar.h>
#include <cerrno>
#include <cstdarg>

extern "C" {

// Of libc's own, which its headers show to programs in part.
wint_t __woverflow(FILE* stream, wint_t character);
int __wprintf_chk(int flag, const wchar_t* format, ...);
int __fwprintf_chk(FILE* stream, int flag, const wchar_t* format, ...);
int __vwprintf_chk(int flag, const wchar_t* format, va_list arguments);

}  // extern "C"

using namespace coir::hook::detail;

namespace {

wint_t put_char(wchar_t character, FILE* stream) noexcept {
    if (!becomes_wide(stream) || is_put_by_libc(stream, &character, 1)) {
        return COIR_ORIGINAL(fputwc_unlocked)(character, stream);
    }
    return put_wide(stream, character);
}

int put_text(const wchar_t* text, FILE* stream) noexcept {
    const std::size_t size = std::wcslen(text);
    if (!becomes_wide(stream) || is_put_by_libc(stream, text, size)) {
        return COIR_ORIGINAL(fputws_unlocked)(text, stream);
    }
    return put_wide(stream, text, size) == size ? 1 : EOF;
}

int print(FILE* stream, const wide_directions& how, va_list arguments) noexcept {
    if (!takes_call()) {
        return print_by_libc(stream, how, arguments);
    }
    va_list again;
    va_copy(again, arguments);
    const int before = errno;
    const wide_text text(how, arguments);
    const stream_hold hold(stream);
    int result = 0;
    if (!becomes_wide(stream) || ::__fwritable(stream) == 0 ||
        is_put_by_libc(stream, text.data(), text.size())) {
        errno = before;
        result = print_by_libc(stream, how, again);
    } else {
        result = text.result(put_wide(stream, text.data(), text.size()) == text.size());
    }
    va_end(again);
    return result;
}

}  // namespace

// Characters.

COIR_HOOK wint_t fputwc(wchar_t character, FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(fputwc)(character, stream);
    }
    const stream_hold hold(stream);
    return put_char(character, stream);
}

COIR_HOOK wint_t fputwc_unlocked(wchar_t character, FILE* stream) {
    return takes_call() ? put_char(character, stream)
                        : COIR_ORIGINAL(fputwc_unlocked)(character, stream);
}

COIR_HOOK wint_t putwchar(wchar_t character) { return ::fputwc(character, stdout); }
COIR_HOOK wint_t putwchar_unlocked(wchar_t character) {
    return ::fputwc_unlocked(character, stdout);
}

// What putwc_unlocked became in old programs when the buffer is full.
COIR_HOOK wint_t __woverflow(FILE* stream, wint_t character) {
    return takes_call() && character != WEOF ? put_char(static_cast<wchar_t>(character), stream)
                                             : COIR_ORIGINAL(__woverflow)(stream, character);
}

// Text.

COIR_HOOK int fputws(const wchar_t* text, FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(fputws)(text, stream);
    }
    const stream_hold hold(stream);
    return put_text(text, stream);
}

COIR_HOOK int fputws_unlocked(const wchar_t* text, FILE* stream) {
    return takes_call() ? put_text(text, stream) : COIR_ORIGINAL(fputws_unlocked)(text, stream);
}

// Formats.

COIR_HOOK int wprintf(const wchar_t* format, ...) {
    COIR_RETURN_FORWARDING(format, print(stdout, {format}, arguments));
}

COIR_HOOK int fwprintf(FILE* stream, const wchar_t* format, ...) {
    COIR_RETURN_FORWARDING(format, print(stream, {format}, arguments));
}

COIR_HOOK int vwprintf(const wchar_t* format, va_list arguments) {
    return print(stdout, {format}, arguments);
}

COIR_HOOK int vfwprintf(FILE* stream, const wchar_t* format, va_list arguments) {
    return print(stream, {format}, arguments);
}

COIR_HOOK int __wprintf_chk(int flag, const wchar_t* format, ...) {
    COIR_RETURN_FORWARDING(format, print(stdout, {format, flag}, arguments));
}

COIR_HOOK int __fwprintf_chk(FILE* stream, int flag, const wchar_t* format, ...) {
    COIR_RETURN_FORWARDING(format, print(stream, {format, flag}, arguments));
}

COIR_HOOK int __vwprintf_chk(int flag, const wchar_t* format, va_list arguments) {
    return print(stdout, {format, flag}, arguments);
}

COIR_HOOK int __vfwprintf_chk(FILE* stream, int flag, const wchar_t* format, va_list arguments) {
    return print(stream, {format, flag}, arguments);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("fputwc")]] wint_t putwc(wchar_t character, FILE* stream);
COIR_HOOK [[gnu::alias("fputwc_unlocked")]] wint_t putwc_unlocked(wchar_t character, FILE* stream);
