// SPDX-License-Identifier: BSL-1.0
// open and its like. They wait where it is a FIFO, for the other end; everything else is libc's
// own.
#include "hook/fifo.hpp"
#include "hook/interpose.hpp"

#include <fcntl.h>
#include <cstdarg>

extern "C" {

// What _FORTIFY_SOURCE makes of calls without a mode.
int __open_2(const char* name, int flags);
int __open64_2(const char* name, int flags);
int __openat_2(int folder, const char* name, int flags);
int __openat64_2(int folder, const char* name, int flags);

}  // extern "C"

using namespace coir::hook::detail;

namespace {

bool has_mode(int flags) noexcept {
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

bool waits(int folder, const char* name, int flags) noexcept {
    return takes_call() && is_fifo_to_wait_for(folder, name, flags);
}

}  // namespace

// The mode, where there is one, is the last argument.
#define COIR_MODE_OF(flags)               \
    mode_t mode = 0;                      \
    if (has_mode(flags)) {                \
        va_list arguments;                \
        va_start(arguments, flags);       \
        mode = va_arg(arguments, mode_t); \
        va_end(arguments);                \
    }                                     \
    static_assert(true)

COIR_HOOK int open(const char* name, int flags, ...) {
    COIR_MODE_OF(flags);
    return waits(AT_FDCWD, name, flags) ? open_fifo(AT_FDCWD, name, flags, mode)
                                        : COIR_ORIGINAL(open)(name, flags, mode);
}

COIR_HOOK int openat(int folder, const char* name, int flags, ...) {
    COIR_MODE_OF(flags);
    return waits(folder, name, flags) ? open_fifo(folder, name, flags, mode)
                                      : COIR_ORIGINAL(openat)(folder, name, flags, mode);
}

COIR_HOOK int creat(const char* name, mode_t mode) {
    constexpr int flags = O_CREAT | O_WRONLY | O_TRUNC;
    return waits(AT_FDCWD, name, flags) ? open_fifo(AT_FDCWD, name, flags, mode)
                                        : COIR_ORIGINAL(creat)(name, mode);
}

// libc's own ends the program where a mode is missing.
COIR_HOOK int __open_2(const char* name, int flags) {
    return !has_mode(flags) && waits(AT_FDCWD, name, flags) ? open_fifo(AT_FDCWD, name, flags, 0)
                                                            : COIR_ORIGINAL(__open_2)(name, flags);
}

COIR_HOOK int __openat_2(int folder, const char* name, int flags) {
    return !has_mode(flags) && waits(folder, name, flags)
               ? open_fifo(folder, name, flags, 0)
               : COIR_ORIGINAL(__openat_2)(folder, name, flags);
}

// Other names of the same.
static_assert(sizeof(off_t) == sizeof(off64_t),
              "open64 and its like are functions of their own here");
COIR_HOOK [[gnu::alias("open")]] int open64(const char* name, int flags, ...);
COIR_HOOK [[gnu::nonnull(1), gnu::alias("open")]] int __open(const char* name, int flags, ...);
COIR_HOOK [[gnu::nonnull(1), gnu::alias("open")]] int __open64(const char* name, int flags, ...);
COIR_HOOK [[gnu::alias("openat")]] int openat64(int folder, const char* name, int flags, ...);
COIR_HOOK [[gnu::alias("creat")]] int creat64(const char* name, mode_t mode);
COIR_HOOK [[gnu::alias("__open_2")]] int __open64_2(const char* name, int flags);
COIR_HOOK [[gnu::alias("__openat_2")]] int __openat64_2(int folder, const char* name, int flags);
