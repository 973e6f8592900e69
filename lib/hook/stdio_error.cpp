// SPDX-License-Identifier: BSL-1.0
// perror, herror, psignal: libc's own print inside of libc.
#include "hook/interpose.hpp"
#include "hook/standard_error.hpp"
#include "hook/stream_buffer.hpp"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
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

// They must not choose between bytes and wide characters for a stream that has not been used: then
// they write to its descriptor.

COIR_HOOK void perror(const char* prefix) {
    if (!takes_call()) {
        COIR_ORIGINAL(perror)(prefix);
        return;
    }
    const int error = errno;
    char buffer[1024];
    const char* const reason = ::strerror_r(error, buffer, sizeof buffer);
    const bool has_prefix = prefix != nullptr && *prefix != '\0';
    const char* const parts[] = {has_prefix ? prefix : "", has_prefix ? ": " : "", reason, "\n"};
    if (stderr->_mode != 0) {
        standard_error().print("%s%s%s%s", parts[0], parts[1], parts[2], parts[3]);
    } else if (!write_parts(::fileno(stderr), parts)) {
        set_flag(stderr, _IO_ERR_SEEN);
    }
    errno = error;
}

COIR_HOOK_OF_FREE_NAME void herror(const char* prefix) noexcept {
    if (!takes_call()) {
        COIR_ORIGINAL(herror)(prefix);
        return;
    }
    const bool has_prefix = prefix != nullptr && *prefix != '\0';
    write_parts(STDERR_FILENO,
                {has_prefix ? prefix : "", has_prefix ? ": " : "", ::hstrerror(h_errno), "\n"});
}

// This one does choose.
COIR_HOOK_OF_FREE_NAME void psignal(int number, const char* prefix) {
    if (!takes_call()) {
        COIR_ORIGINAL(psignal)(number, prefix);
        return;
    }
    const bool has_prefix = prefix != nullptr && *prefix != '\0';
    const char* const name = has_prefix ? prefix : "";
    const char* const colon = has_prefix ? ": " : "";
    const standard_error out;
    if (::sigdescr_np(number) != nullptr) {
        out.print("%s%s%s\n", name, colon, ::strsignal(number));
    } else {
        out.print("%s%sUnknown signal %d\n", name, colon, number);
    }
}
