// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <cerrno>

namespace coir::hook::detail {

// coir::posix never raises SIGPIPE for a socket; libc does, and a program that handles, blocks or
// ignores the signal expects it of a hooked call.
inline void raise_broken_pipe() noexcept {
    ::pthread_kill(::pthread_self(), SIGPIPE);
    errno = EPIPE;
}

template <class Result>
Result raise_if_broken(Result result, int flags) noexcept {
    if (result < 0 && errno == EPIPE && (flags & MSG_NOSIGNAL) == 0) {
        raise_broken_pipe();
    }
    return result;
}

// The same for calls that know no flags and no sockets: for a pipe the kernel has raised it.
inline ssize_t raise_if_socket_broken(int fd, ssize_t result) noexcept {
    int type = 0;
    socklen_t size = sizeof type;
    if (result < 0 && errno == EPIPE) {
        if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0) {
            raise_broken_pipe();
        }
        errno = EPIPE;
    }
    return result;
}

}  // namespace coir::hook::detail
