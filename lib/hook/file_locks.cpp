// SPDX-License-Identifier: BSL-1.0
#include "hook/interpose.hpp"

#include <coir/posix.hpp>

#include <cstdarg>

using namespace coir::hook::detail;
namespace posix = coir::posix;

COIR_HOOK int flock(int fd, int operation) noexcept {
    return takes_call() ? posix::flock(fd, operation) : COIR_ORIGINAL(flock)(fd, operation);
}

COIR_HOOK int lockf(int fd, int command, off_t size) {
    return takes_call() ? posix::lockf(fd, command, size) : COIR_ORIGINAL(lockf)(fd, command, size);
}

// One argument of the size of a pointer at most follows, if any does.
COIR_HOOK int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return takes_call() ? posix::fcntl(fd, command, argument)
                        : COIR_ORIGINAL(fcntl)(fd, command, argument);
}

// Other names of the same.
static_assert(sizeof(off_t) == sizeof(off64_t), "lockf64 is a function of its own here");
COIR_HOOK [[gnu::alias("lockf")]] int lockf64(int fd, int command, off64_t size);
COIR_HOOK [[gnu::alias("fcntl")]] int fcntl64(int fd, int command, ...);
COIR_HOOK [[gnu::alias("fcntl")]] int __fcntl(int fd, int command, ...);
