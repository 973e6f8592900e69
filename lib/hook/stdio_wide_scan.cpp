// SPDX-License-Identifier: BSL-1.0
// wscanf and its like. How much they read nobody knows but libc, and there is no stream of wide
// characters that asks us for more in the middle of its code. So what is there is scanned twice:
// for nothing at first, by the same format without its assignments. If libc has come to the end of
// what is there, all of it is put back, more is waited for, and that is done anew. Otherwise the
// real call will not read.
#include "hook/argument_forwarding.hpp"
#include "hook/interpose.hpp"
#include "hook/stream_hold.hpp"
#include "hook/wide_stream.hpp"

#include <stdio.h>
#include <wchar.h>
#include <cerrno>
#include <cstdarg>
#include <exception>
#include <string>

using namespace coir::hook::detail;

namespace {

bool is_digit(wchar_t c) noexcept { return c >= L'0' && c <= L'9'; }

// From behind a '%', up to and including the conversion.
const wchar_t* copy_conversion(const wchar_t* at, std::wstring& to) {
    const wchar_t* behind_number = at;
    while (is_digit(*behind_number)) {
        ++behind_number;
    }
    if (behind_number != at && *behind_number == L'$') {  // which argument it is for
        at = behind_number + 1;
    }
    if (*at != L'%' && *at != L'*') {
        to += L'*';
    }
    while (*at != L'\0' && std::wcschr(L"*'I0123456789mhlLqjzt", *at) != nullptr) {
        to += *at++;
    }
    if (*at == L'\0') {
        return at;
    }
    to += *at;
    if (*at++ != L'[') {
        return at;
    }
    if (*at == L'^') {
        to += *at++;
    }
    for (bool is_first = true; *at != L'\0'; is_first = false) {  // a ']' may be the first of a set
        to += *at;
        if (*at++ == L']' && !is_first) {
            break;
        }
    }
    return at;
}

// The same format with nothing assigned.
std::wstring without_assignments(const wchar_t* format) {
    std::wstring result;
    while (*format != L'\0') {
        result += *format;
        if (*format++ == L'%') {
            format = copy_conversion(format, result);
        }
    }
    return result;
}

class scanning {
public:
    scanning(wide_scanner* by_libc, FILE* stream, const wchar_t* format)
        : by_libc_(by_libc), stream_(stream), empty_format_(without_assignments(format)) {}

    // Has all there that a scan of the format asks for. False: the end, or an error, comes before;
    // errno tells which error.
    bool prepare() {
        std::wstring there = take_all();
        put_back(there);
        while (wants_more()) {
            take_all();
            const bool has_more = has_wide_input(stream_);
            const int error = errno;
            there += take_all();
            put_back(there);
            errno = error;
            if (!has_more) {
                return false;
            }
        }
        take_all();
        put_back(there);
        return true;
    }

private:
    std::wstring take_all() {
        std::wstring text;
        while (next_wide(stream_) != WEOF) {
            text += static_cast<wchar_t>(COIR_ORIGINAL(fgetwc_unlocked)(stream_));
        }
        return text;
    }

    // As ungetwc() does, but an end that was seen stays seen.
    void put_back(const std::wstring& text) noexcept {
        const bool was_seen = has_flag(stream_, _IO_EOF_SEEN);
        for (auto at = text.rbegin(); at != text.rend(); ++at) {
            COIR_ORIGINAL(ungetwc)(static_cast<wint_t>(*at), stream_);
        }
        if (was_seen) {
            set_flag(stream_, _IO_EOF_SEEN);
        }
    }

    bool wants_more() noexcept {
        const int before = errno;
        const bool result = scan_for_nothing(empty_format_.c_str());
        errno = before;
        return result;
    }

    bool scan_for_nothing(const wchar_t* format, ...) noexcept {
        va_list none;
        va_start(none, format);
        const scan_result scanned = scan_what_is_there(stream_, by_libc_, format, none);
        va_end(none);
        return scanned.wants_more;
    }

    wide_scanner* const by_libc_;
    FILE* const stream_;
    const std::wstring empty_format_;
};

// Of what comes before an error, which has been met already. A scan that wants more meets it.
int scan_before_error(wide_scanner* by_libc, FILE* stream, const wchar_t* format,
                      va_list arguments) noexcept {
    const int error = errno;
    const int result = scan_what_is_there(stream, by_libc, format, arguments).result;
    errno = error;
    return result;
}

int scan(call which, FILE* stream, const wchar_t* format, va_list arguments) noexcept {
    auto* const by_libc = original<wide_scanner>(which);
    if (!takes_call()) {
        return by_libc(stream, format, arguments);
    }
    const stream_hold hold(stream);
    if (!becomes_wide(stream) || ::__freadable(stream) == 0 || !has_waiting_descriptor(stream)) {
        return by_libc(stream, format, arguments);
    }
    if (has_output(stream) && !settle(stream)) {
        return EOF;
    }
    const int before = errno;
    try {
        if (!scanning(by_libc, stream, format).prepare() && !has_flag(stream, _IO_EOF_SEEN)) {
            return scan_before_error(by_libc, stream, format, arguments);
        }
    } catch (const std::exception&) {
        errno = ENOMEM;
        return EOF;
    }
    errno = before;
    return by_libc(stream, format, arguments);
}

}  // namespace

// libc has each function three times: as it was, as C99 has it and as C23 has it. The names that a
// header gives them depend on the language, so that here each is called by its own.
#define COIR_WSCANF(prefix)                                                                      \
    COIR_HOOK int coir_##prefix##wscanf(const wchar_t* format, ...) asm(#prefix "wscanf");       \
    int coir_##prefix##wscanf(const wchar_t* format, ...) {                                      \
        COIR_RETURN_FORWARDING(format, scan(call::prefix##vfwscanf, stdin, format, arguments));  \
    }                                                                                            \
    COIR_HOOK int coir_##prefix##fwscanf(FILE* stream, const wchar_t* format,                    \
                                         ...) asm(#prefix "fwscanf");                            \
    int coir_##prefix##fwscanf(FILE* stream, const wchar_t* format, ...) {                       \
        COIR_RETURN_FORWARDING(format, scan(call::prefix##vfwscanf, stream, format, arguments)); \
    }                                                                                            \
    COIR_HOOK int coir_##prefix##vwscanf(const wchar_t* format,                                  \
                                         va_list arguments) asm(#prefix "vwscanf");              \
    int coir_##prefix##vwscanf(const wchar_t* format, va_list arguments) {                       \
        return scan(call::prefix##vfwscanf, stdin, format, arguments);                           \
    }                                                                                            \
    COIR_HOOK int coir_##prefix##vfwscanf(FILE* stream, const wchar_t* format,                   \
                                          va_list arguments) asm(#prefix "vfwscanf");            \
    int coir_##prefix##vfwscanf(FILE* stream, const wchar_t* format, va_list arguments) {        \
        return scan(call::prefix##vfwscanf, stream, format, arguments);                          \
    }

COIR_WSCANF()
COIR_WSCANF(__isoc99_)
COIR_WSCANF(__isoc23_)
