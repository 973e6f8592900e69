// SPDX-License-Identifier: BSL-1.0
// pread, pwrite, fsync and their like: files on disk.
#include "hook/disk.hpp"
#include "base/libc_only.hpp"
#include "hook/cancelled.hpp"
#include "hook/interpose.hpp"
#include "hook/lock_line.hpp"
#include "net/posix_parts.hpp"

#include <coir/blocking.hpp>
#include <coir/cancellation.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <climits>
#include <cstddef>
#include <exception>

namespace coir::hook::detail {

namespace {

// preadv2 or pwritev2, whose offset -1 stands for where the file stands.
constexpr off64_t where_it_stands = -1;

// Makes a call on a thread of the pool, or here if no thread can be had. It is awaited whatever is
// cancelled: the disk answers.
template <class Call>
auto in_pool(Call call) noexcept {
    const int before = errno;
    decltype(call()) result = -1;
    int error = 0;
    const auto make = [&] {
        const coir::detail::libc_only no_hooks;
        result = call();
        error = errno;
    };
    try {
        coir::shield([&] { coir::run_blocking(make); });
    } catch (const std::exception&) {
        make();
    }
    errno = result < 0 ? error : before;
    return result;
}

// As far as it goes without the disk, and on from there in the pool: who reads a file counts on
// getting all that it has.
ssize_t read_at(int fd, const iovec* parts, int count, off64_t offset) noexcept {
    const int before = errno;
    const coir::detail::transfer_parts all(parts, static_cast<std::size_t>(count));
    const std::size_t total = all.total();
    std::size_t moved = 0;
    const auto read_on = [&](int flags) {
        while (moved < total) {
            const auto rest = all.after(moved);
            const ssize_t more = COIR_ORIGINAL(preadv2)(
                fd, rest.parts.data(), static_cast<int>(rest.count),
                offset < 0 ? offset : offset + static_cast<off64_t>(moved), flags);
            if (more <= 0) {
                return more;
            }
            moved += static_cast<std::size_t>(more);
        }
        return ssize_t{0};
    };
    ssize_t last = read_on(RWF_NOWAIT);
    if (last < 0 && (errno == EAGAIN || errno == EOPNOTSUPP || errno == ENOSYS)) {
        last = in_pool([&] { return read_on(0); });
    }
    if (last < 0 && moved == 0) {
        return -1;
    }
    spend_budget();  // a loop around this call must not keep others from running
    errno = before;
    return static_cast<ssize_t>(moved);
}

// What is wrong with the buffers is for libc to say.
bool has_parts(const iovec* parts, int count) noexcept {
    return parts != nullptr && count > 0 && count <= IOV_MAX;
}

}  // namespace

ssize_t read_from_disk(int fd, const iovec* parts, int count) noexcept {
    if (is_cancelled()) {
        errno = error_of_cancellation();
        return -1;
    }
    return has_parts(parts, count) ? read_at(fd, parts, count, where_it_stands)
                                   : COIR_ORIGINAL(readv)(fd, parts, count);
}

// As a whole, for the sake of those who append to the same file.
ssize_t write_to_disk(int fd, const iovec* parts, int count) noexcept {
    if (is_cancelled()) {
        errno = error_of_cancellation();
        return -1;
    }
    return in_pool([&] { return COIR_ORIGINAL(writev)(fd, parts, count); });
}

}  // namespace coir::hook::detail

using namespace coir::hook::detail;

namespace {

bool goes_to_pool(int fd) noexcept { return takes_call() && is_for_pool(fd); }

// With these it is readv, or writev, of descriptors of any kind.
bool has_no_offset(off64_t offset, int flags) noexcept {
    return offset == where_it_stands && flags == 0;
}

}  // namespace

// --- Reading -----------------------------------------------------------------------------------

COIR_HOOK ssize_t pread(int fd, void* data, std::size_t size, off_t offset) {
    if (offset < 0 || !goes_to_pool(fd)) {
        return COIR_ORIGINAL(pread)(fd, data, size, offset);
    }
    const iovec part{data, size};
    return read_at(fd, &part, 1, offset);
}

COIR_HOOK ssize_t preadv(int fd, const iovec* parts, int count, off_t offset) {
    if (offset < 0 || !has_parts(parts, count) || !goes_to_pool(fd)) {
        return COIR_ORIGINAL(preadv)(fd, parts, count, offset);
    }
    return read_at(fd, parts, count, offset);
}

COIR_HOOK ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) {
    if (has_no_offset(offset, flags)) {
        return ::readv(fd, parts, count);
    }
    if (offset < 0 || flags != 0 || !has_parts(parts, count) || !goes_to_pool(fd)) {
        return COIR_ORIGINAL(preadv2)(fd, parts, count, offset, flags);
    }
    return read_at(fd, parts, count, offset);
}

// --- Writing -----------------------------------------------------------------------------------

COIR_HOOK ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset) {
    const auto call = [=] {
        return COIR_ORIGINAL(pwrite)(fd, data, size, offset);
    };
    return goes_to_pool(fd) ? in_pool(call) : call();
}

COIR_HOOK ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
    const auto call = [=] {
        return COIR_ORIGINAL(pwritev)(fd, parts, count, offset);
    };
    return goes_to_pool(fd) ? in_pool(call) : call();
}

COIR_HOOK ssize_t pwritev2(int fd, const iovec* parts, int count, off_t offset, int flags) {
    if (has_no_offset(offset, flags)) {
        return ::writev(fd, parts, count);
    }
    const auto call = [=] {
        return COIR_ORIGINAL(pwritev2)(fd, parts, count, offset, flags);
    };
    return goes_to_pool(fd) && (flags & RWF_NOWAIT) == 0 ? in_pool(call) : call();
}

// --- To the disk -------------------------------------------------------------------------------

COIR_HOOK int fsync(int fd) {
    const auto call = [=] {
        return COIR_ORIGINAL(fsync)(fd);
    };
    return goes_to_pool(fd) ? in_pool(call) : call();
}

COIR_HOOK int fdatasync(int fd) {
    const auto call = [=] {
        return COIR_ORIGINAL(fdatasync)(fd);
    };
    return goes_to_pool(fd) ? in_pool(call) : call();
}

COIR_HOOK int syncfs(int fd) noexcept {
    const auto call = [=] {
        return COIR_ORIGINAL(syncfs)(fd);
    };
    return goes_to_pool(fd) ? in_pool(call) : call();
}

COIR_HOOK int sync_file_range(int fd, off64_t offset, off64_t count, unsigned int flags) {
    const auto call = [=] {
        return COIR_ORIGINAL(sync_file_range)(fd, offset, count, flags);
    };
    return goes_to_pool(fd) ? in_pool(call) : call();
}

COIR_HOOK ssize_t copy_file_range(int in, off64_t* in_offset, int out, off64_t* out_offset,
                                  std::size_t count, unsigned int flags) {
    const auto call = [=] {
        return COIR_ORIGINAL(copy_file_range)(in, in_offset, out, out_offset, count, flags);
    };
    return goes_to_pool(in) ? in_pool(call) : call();
}

// Other names of the same.
static_assert(sizeof(off_t) == sizeof(off64_t), "pread64 is a function of its own here");
COIR_HOOK [[gnu::alias("pread")]] ssize_t pread64(int, void*, std::size_t, off64_t);
COIR_HOOK [[gnu::alias("pread")]] ssize_t __pread64(int, void*, std::size_t, off64_t);
COIR_HOOK [[gnu::alias("preadv")]] ssize_t preadv64(int, const iovec*, int, off64_t);
COIR_HOOK [[gnu::alias("preadv2")]] ssize_t preadv64v2(int, const iovec*, int, off64_t, int);
COIR_HOOK [[gnu::alias("pwrite")]] ssize_t pwrite64(int, const void*, std::size_t, off64_t);
COIR_HOOK [[gnu::alias("pwrite")]] ssize_t __pwrite64(int, const void*, std::size_t, off64_t);
COIR_HOOK [[gnu::alias("pwritev")]] ssize_t pwritev64(int, const iovec*, int, off64_t);
COIR_HOOK [[gnu::alias("pwritev2")]] ssize_t pwritev64v2(int, const iovec*, int, off64_t, int);

// What _FORTIFY_SOURCE makes of a read. libc's own ends the program where the buffer is too small.
COIR_HOOK ssize_t __pread_chk(int fd, void* data, std::size_t size, off_t offset,
                              std::size_t capacity) {
    return size > capacity ? COIR_ORIGINAL(__pread_chk)(fd, data, size, offset, capacity)
                           : ::pread(fd, data, size, offset);
}
COIR_HOOK [[gnu::alias("__pread_chk")]] ssize_t __pread64_chk(int, void*, std::size_t, off64_t,
                                                              std::size_t);
