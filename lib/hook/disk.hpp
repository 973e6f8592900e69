// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/settings.hpp"
#include "net/posix_file_kind.hpp"

#include <sys/types.h>
#include <sys/uio.h>
#include <cerrno>

// Files on disk are always ready, and yet a call may have to wait for the disk. Nobody can be told
// when that is over, so it takes a thread of the blocking pool; and since reading a file is then a
// moment in which other fibers run, it is done only for programs that ask for it (COIR_HOOK=files).
namespace coir::hook::detail {

// Whether a fiber's calls on that descriptor are the pool's to make. Keeps errno.
inline bool is_for_pool(int fd) noexcept {
    if (!chosen.files) {
        return false;
    }
    const int before = errno;
    const bool on_disk = coir::detail::file_kind_of(fd) == coir::detail::file_kind::on_disk;
    errno = before;
    return on_disk;
}

// readv and writev of such a file, from where it stands. What the page cache has is read at once.
ssize_t read_from_disk(int fd, const iovec* parts, int count) noexcept;
ssize_t write_to_disk(int fd, const iovec* parts, int count) noexcept;

}  // namespace coir::hook::detail
