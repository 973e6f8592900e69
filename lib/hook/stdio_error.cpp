// SPDX-License-Identifier: BSL-1.0
// perror: libc's own prints inside of libc.
#include "hook/interpose.hpp"
#include "hook/stream_buffer.hpp"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <cstring>

using namespace coir::hook::detail;

namespace {

bool write_parts(int fd, const char* const (&parts)[4]) noexcept {
    iovec where[4];
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        where[i] = {const_cast<char*>(parts[i]), std::strlen(parts[i])};
        size += where[i].iov_len;
    }
    return ::writev(fd, where, 4) == static_cast<ssize_t>(size);
}

}  // namespace

// It must not choose between bytes and wide characters for a stream that has not been used.
COIR_HOOK void perror(const char* prefix) {
    if (!takes_call() || is_wide(stderr)) {
        COIR_ORIGINAL(perror)(prefix);
        return;
    }
    const int error = errno;
    char buffer[1024];
    const char* const reason = ::strerror_r(error, buffer, sizeof buffer);
    const bool has_prefix = prefix != nullptr && *prefix != '\0';
    const char* const parts[] = {has_prefix ? prefix : "", has_prefix ? ": " : "", reason, "\n"};
    if (stderr->_mode != 0) {
        ::fprintf(stderr, "%s%s%s%s", parts[0], parts[1], parts[2], parts[3]);
    } else if (!write_parts(::fileno(stderr), parts)) {
        set_flag(stderr, _IO_ERR_SEEN);
    }
    errno = error;
}
