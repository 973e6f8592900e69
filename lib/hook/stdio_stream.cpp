// SPDX-License-Identifier: BSL-1.0
// What is done to streams besides reading and writing. Whoever is in the middle of a call on the
// stream is waited for, as libc has threads wait; and what libc would write out is written before,
// where a fiber parks. In a cancelled scope the end of a stream is its end all the same.
#include "hook/fifo.hpp"
#include "hook/interpose.hpp"
#include "hook/stream_buffer.hpp"
#include "hook/stream_hold.hpp"
#include "reactor/wait_io.hpp"

#include <stdio.h>
#include <cerrno>

using namespace coir::hook::detail;
using coir::detail::io_closing;

namespace {

// Before its descriptor goes. errno is what libc's own call would have set.
bool settle_for_good(FILE* stream) noexcept {
    if (!takes_call()) {
        return true;
    }
    const stream_hold hold(stream);
    return settle(stream);
}

// -1: it has none.
int descriptor_of(FILE* stream) noexcept {
    const int before = errno;
    const int fd = ::fileno(stream);
    errno = before;
    return fd;
}

// Has libc make a call that reads and writes nothing.
template <class Call>
auto hold_and_make(FILE* stream, Call make) noexcept {
    if (!takes_call()) {
        return make();
    }
    const stream_hold hold(stream);
    return make();
}

// The same for one that writes out what is pending, and fails if that does.
template <class Call>
auto settle_and_make(FILE* stream, Call make) noexcept -> decltype(make()) {
    if (!takes_call()) {
        return make();
    }
    const stream_hold hold(stream);
    return settle(stream) ? make() : -1;
}

// And for one that does not tell.
template <class Call>
void settle_and_do(FILE* stream, Call make) noexcept {
    if (!takes_call()) {
        make();
        return;
    }
    const stream_hold hold(stream);
    settle(stream);
    make();
}

}  // namespace

COIR_HOOK int fclose(FILE* stream) {
    if (!enabled()) {
        return COIR_ORIGINAL(fclose)(stream);
    }
    const bool settled = settle_for_good(stream);
    const int error = errno;
    const io_closing closing(descriptor_of(stream));
    const int result = COIR_ORIGINAL(fclose)(stream);
    if (!settled) {
        errno = error;
    }
    return settled ? result : EOF;
}

COIR_HOOK FILE* freopen(const char* name, const char* mode, FILE* stream) {
    if (!enabled()) {
        return COIR_ORIGINAL(freopen)(name, mode, stream);
    }
    settle_for_good(stream);  // whether it could be is nobody's concern, says libc
    const auto open_anew = [&](const char* file) {
        const io_closing closing(descriptor_of(stream));
        return COIR_ORIGINAL(freopen)(file, mode, stream);
    };
    if (!takes_call() || name == nullptr ||
        !is_fifo_to_wait_for(AT_FDCWD, name, flags_of_mode(mode))) {
        return open_anew(name);
    }
    const held_fifo held(name, flags_of_mode(mode));
    if (held) {
        return open_anew(name);
    }
    const int error = errno;
    open_anew("");  // it is closed nevertheless
    errno = error;
    return nullptr;
}

// Where it stands, and what was put back.

COIR_HOOK int ungetc(int character, FILE* stream) {
    return hold_and_make(stream, [&] { return COIR_ORIGINAL(ungetc)(character, stream); });
}

COIR_HOOK int fseek(FILE* stream, long offset, int from) {
    return settle_and_make(stream, [&] { return COIR_ORIGINAL(fseek)(stream, offset, from); });
}

COIR_HOOK int fseeko(FILE* stream, off_t offset, int from) {
    return settle_and_make(stream, [&] { return COIR_ORIGINAL(fseeko)(stream, offset, from); });
}

COIR_HOOK int fsetpos(FILE* stream, const fpos_t* position) {
    return settle_and_make(stream, [&] { return COIR_ORIGINAL(fsetpos)(stream, position); });
}

COIR_HOOK void rewind(FILE* stream) {
    settle_and_do(stream, [&] { COIR_ORIGINAL(rewind)(stream); });
}

COIR_HOOK long ftell(FILE* stream) {
    return hold_and_make(stream, [&] { return COIR_ORIGINAL(ftell)(stream); });
}

COIR_HOOK off_t ftello(FILE* stream) {
    return hold_and_make(stream, [&] { return COIR_ORIGINAL(ftello)(stream); });
}

COIR_HOOK int fgetpos(FILE* stream, fpos_t* position) {
    return hold_and_make(stream, [&] { return COIR_ORIGINAL(fgetpos)(stream, position); });
}

// Its indicators.

COIR_HOOK int feof(FILE* stream) noexcept {
    return hold_and_make(stream, [&] { return COIR_ORIGINAL(feof)(stream); });
}

COIR_HOOK int ferror(FILE* stream) noexcept {
    return hold_and_make(stream, [&] { return COIR_ORIGINAL(ferror)(stream); });
}

COIR_HOOK void clearerr(FILE* stream) noexcept {
    hold_and_make(stream, [&] { COIR_ORIGINAL(clearerr)(stream); });
}

// Its buffer.

COIR_HOOK int setvbuf(FILE* stream, char* buffer, int mode, std::size_t size) noexcept {
    return settle_and_make(stream,
                           [&] { return COIR_ORIGINAL(setvbuf)(stream, buffer, mode, size); });
}

COIR_HOOK void setbuf(FILE* stream, char* buffer) noexcept {
    settle_and_do(stream, [&] { COIR_ORIGINAL(setbuf)(stream, buffer); });
}

COIR_HOOK_OF_FREE_NAME void setbuffer(FILE* stream, char* buffer, std::size_t size) noexcept {
    settle_and_do(stream, [&] { COIR_ORIGINAL(setbuffer)(stream, buffer, size); });
}

COIR_HOOK_OF_FREE_NAME void setlinebuf(FILE* stream) noexcept {
    settle_and_do(stream, [&] { COIR_ORIGINAL(setlinebuf)(stream); });
}

// Other names of the same.
static_assert(sizeof(off_t) == sizeof(off64_t) && sizeof(fpos_t) == sizeof(fpos64_t),
              "freopen64, fseeko64 and their like are functions of their own here");
COIR_HOOK [[gnu::alias("fclose")]] int _IO_fclose(FILE* stream);
COIR_HOOK [[gnu::alias("freopen")]] FILE* freopen64(const char* name, const char* mode,
                                                    FILE* stream);
COIR_HOOK [[gnu::alias("ungetc")]] int _IO_ungetc(int character, FILE* stream);
COIR_HOOK [[gnu::alias("fseeko")]] int fseeko64(FILE* stream, off64_t offset, int from);
COIR_HOOK [[gnu::alias("fsetpos")]] int fsetpos64(FILE* stream, const fpos64_t* position);
COIR_HOOK [[gnu::alias("fsetpos")]] int _IO_fsetpos(FILE* stream, const fpos_t* position);
COIR_HOOK [[gnu::alias("fsetpos")]] int _IO_fsetpos64(FILE* stream, const fpos64_t* position);
COIR_HOOK [[gnu::alias("ftell")]] long _IO_ftell(FILE* stream);
COIR_HOOK [[gnu::alias("ftello")]] off64_t ftello64(FILE* stream);
COIR_HOOK [[gnu::alias("fgetpos")]] int fgetpos64(FILE* stream, fpos64_t* position);
COIR_HOOK [[gnu::alias("fgetpos")]] int _IO_fgetpos(FILE* stream, fpos_t* position);
COIR_HOOK [[gnu::alias("fgetpos")]] int _IO_fgetpos64(FILE* stream, fpos64_t* position);
COIR_HOOK [[gnu::alias("feof")]] int _IO_feof(FILE* stream) noexcept;
COIR_HOOK [[gnu::alias("ferror")]] int _IO_ferror(FILE* stream) noexcept;
COIR_HOOK [[gnu::alias("setvbuf")]] int _IO_setvbuf(FILE* stream, char* buffer, int mode,
                                                    std::size_t size) noexcept;
COIR_HOOK [[gnu::alias("setbuffer")]] void _IO_setbuffer(FILE* stream, char* buffer,
                                                         std::size_t size) noexcept;
