// SPDX-License-Identifier: BSL-1.0
// flock, lockf, fcntl: locks of files. Nobody tells when one becomes free, so it is tried for again
// and again.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_paced_wait.hpp"

#include <cstdarg>

namespace coir::detail {

namespace {

template <class Try>
int lock_file(int fd, Try try_once) noexcept {
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    paced_wait wait({"the lock of descriptor", fd, true});
    int result = try_once();
    // For locks of records POSIX allows either.
    while (result < 0 && (errno == EAGAIN || errno == EACCES)) {
        result = wait.for_a_moment() ? try_once() : wait.fail();
    }
    return call.end(result, wait.waited());
}

// The command that does not wait, for one that does; else 0.
constexpr int try_command(int command) noexcept {
    switch (command) {
        case F_SETLKW: return F_SETLK;
#ifdef F_OFD_SETLKW
        case F_OFD_SETLKW: return F_OFD_SETLK;
#endif
        default: return 0;
    }
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

// To unlock is no cancellation point, as close is none.
int flock(int fd, int operation) noexcept {
    const bool waits = operation == LOCK_SH || operation == LOCK_EX;
    if (posix_call::is_for_libc() || !waits) {
        return sys.flock(fd, operation);
    }
    return detail::lock_file(fd, [=] { return sys.flock(fd, operation | LOCK_NB); });
}

int lockf(int fd, int command, off_t size) noexcept {
    if (posix_call::is_for_libc() || command != F_LOCK) {
        return sys.lockf(fd, command, size);
    }
    return detail::lock_file(fd, [=] { return sys.lockf(fd, F_TLOCK, size); });
}

// The argument is a pointer, a number or nothing, as the command wants it. Whichever it is, it is
// passed on as a pointer, as libc does it.
int fcntl(int fd, int command, ...) noexcept {
    va_list arguments;
    va_start(arguments, command);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    const int try_command = detail::try_command(command);
    if (posix_call::is_for_libc() || try_command == 0) {
        return sys.fcntl(fd, command, argument);
    }
    return detail::lock_file(fd, [=] { return sys.fcntl(fd, try_command, argument); });
}

}  // namespace coir::posix
