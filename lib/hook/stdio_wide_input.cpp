// SPDX-License-Identifier: BSL-1.0
// Reading from streams of wide characters: each character is libc's to take when it is there, and
// has_wide_input() sees to that, where a fiber parks and libc blocks. The _unlocked calls do not
// lock.
#include "hook/interpose.hpp"
#include "hook/stream_hold.hpp"
#include "hook/wide_stream.hpp"

#include <stdio.h>
#include <wchar.h>
#include <cerrno>

extern "C" {

// Of libc's own, which its headers show to programs in part.
wint_t __wuflow(FILE* stream);
wint_t __wunderflow(FILE* stream);
wchar_t* __fgetws_chk(wchar_t* text, std::size_t capacity, int size, FILE* stream);
wchar_t* __fgetws_unlocked_chk(wchar_t* text, std::size_t capacity, int size, FILE* stream);

}  // extern "C"

using namespace coir::hook::detail;

namespace {

wint_t take_wide(FILE* stream) noexcept {
    if (!becomes_wide(stream)) {
        return COIR_ORIGINAL(fgetwc_unlocked)(stream);  // refuses
    }
    return has_wide_input(stream) ? COIR_ORIGINAL(fgetwc_unlocked)(stream) : WEOF;
}

// An error is told of by the call that meets it, whatever the indicator said before. One that is
// only "try again" does not keep what has been read from the caller.
wchar_t* take_wide_line(wchar_t* text, int size, FILE* stream) noexcept {
    if (size <= 1) {
        return COIR_ORIGINAL(fgetws_unlocked)(text, size, stream);  // reads nothing
    }
    const auto limit = static_cast<std::size_t>(size) - 1;
    const bool had_failed = has_flag(stream, _IO_ERR_SEEN);
    clear_flag(stream, _IO_ERR_SEEN);
    std::size_t taken = 0;
    for (wint_t last = 0; taken < limit && last != L'\n'; ++taken) {
        last = take_wide(stream);
        if (last == WEOF) {
            break;
        }
        text[taken] = static_cast<wchar_t>(last);
    }
    const bool fails = has_flag(stream, _IO_ERR_SEEN) && errno != EAGAIN;
    if (had_failed) {
        set_flag(stream, _IO_ERR_SEEN);
    }
    if (taken == 0 || fails) {
        return nullptr;
    }
    text[taken] = L'\0';
    return text;
}

}  // namespace

// Characters.

COIR_HOOK wint_t fgetwc(FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(fgetwc)(stream);
    }
    const stream_hold hold(stream);
    return take_wide(stream);
}

COIR_HOOK wint_t fgetwc_unlocked(FILE* stream) {
    return takes_call() ? take_wide(stream) : COIR_ORIGINAL(fgetwc_unlocked)(stream);
}

COIR_HOOK wint_t getwchar() { return ::fgetwc(stdin); }
COIR_HOOK wint_t getwchar_unlocked() { return ::fgetwc_unlocked(stdin); }

// What getwc_unlocked became in old programs when nothing is buffered; and, of the two, the one
// that leaves the character there.
COIR_HOOK wint_t __wuflow(FILE* stream) {
    return takes_call() ? take_wide(stream) : COIR_ORIGINAL(__wuflow)(stream);
}

COIR_HOOK wint_t __wunderflow(FILE* stream) {
    if (!takes_call() || !becomes_wide(stream)) {
        return COIR_ORIGINAL(__wunderflow)(stream);
    }
    return has_wide_input(stream) ? next_wide(stream) : WEOF;
}

COIR_HOOK wint_t ungetwc(wint_t character, FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(ungetwc)(character, stream);
    }
    const stream_hold hold(stream);
    return COIR_ORIGINAL(ungetwc)(character, stream);
}

// Lines.

COIR_HOOK wchar_t* fgetws(wchar_t* text, int size, FILE* stream) {
    if (!takes_call()) {
        return COIR_ORIGINAL(fgetws)(text, size, stream);
    }
    const stream_hold hold(stream);
    return take_wide_line(text, size, stream);
}

COIR_HOOK wchar_t* fgetws_unlocked(wchar_t* text, int size, FILE* stream) {
    return takes_call() ? take_wide_line(text, size, stream)
                        : COIR_ORIGINAL(fgetws_unlocked)(text, size, stream);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("fgetwc")]] wint_t getwc(FILE* stream);
COIR_HOOK [[gnu::alias("fgetwc_unlocked")]] wint_t getwc_unlocked(FILE* stream);

// What _FORTIFY_SOURCE makes of them. libc's own ends the program where the buffer is too small.

COIR_HOOK wchar_t* __fgetws_chk(wchar_t* text, std::size_t capacity, int size, FILE* stream) {
    return size > 0 && static_cast<std::size_t>(size) > capacity
               ? COIR_ORIGINAL(__fgetws_chk)(text, capacity, size, stream)
               : ::fgetws(text, size, stream);
}

COIR_HOOK wchar_t* __fgetws_unlocked_chk(wchar_t* text, std::size_t capacity, int size,
                                         FILE* stream) {
    return size > 0 && static_cast<std::size_t>(size) > capacity
               ? COIR_ORIGINAL(__fgetws_unlocked_chk)(text, capacity, size, stream)
               : ::fgetws_unlocked(text, size, stream);
}
