// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>
#include <cstdint>

namespace coir::detail {

// How a descriptor that is no socket waits.
enum class file_kind : std::uint8_t {
    invalid,  // not open: let the call itself say so
    on_disk,  // a file, a directory, a block device: always ready, though it may take its time
    pipe,     // or FIFO
    other,    // devices, terminals among them, and eventfd and its like
};

inline file_kind file_kind_of(int fd) noexcept {
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        return file_kind::invalid;
    }
    switch (status.st_mode & S_IFMT) {
        case S_IFREG:
        case S_IFDIR:
        case S_IFBLK: return file_kind::on_disk;
        case S_IFIFO: return file_kind::pipe;
        default: return file_kind::other;
    }
}

}  // namespace coir::detail
