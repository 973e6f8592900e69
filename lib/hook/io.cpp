// SPDX-License-Identifier: BSL-1.0
// read, write and their like: descriptors of any kind.
#include "hook/broken_pipe.hpp"
#include "hook/disk.hpp"
#include "hook/interpose.hpp"

#include <coir/posix.hpp>

#include <sys/eventfd.h>
#include <sys/sendfile.h>

using namespace coir::hook::detail;
namespace posix = coir::posix;

COIR_HOOK ssize_t read(int fd, void* data, std::size_t size) {
    if (!takes_call()) {
        return COIR_ORIGINAL(read)(fd, data, size);
    }
    const iovec part{data, size};
    return is_for_pool(fd) ? read_from_disk(fd, &part, 1) : posix::read(fd, data, size);
}

COIR_HOOK ssize_t readv(int fd, const iovec* parts, int count) {
    if (!takes_call()) {
        return COIR_ORIGINAL(readv)(fd, parts, count);
    }
    return is_for_pool(fd) ? read_from_disk(fd, parts, count) : posix::readv(fd, parts, count);
}

COIR_HOOK ssize_t write(int fd, const void* data, std::size_t size) {
    if (!takes_call()) {
        return COIR_ORIGINAL(write)(fd, data, size);
    }
    const iovec part{const_cast<void*>(data), size};
    return is_for_pool(fd) ? write_to_disk(fd, &part, 1)
                           : raise_if_socket_broken(fd, posix::write(fd, data, size));
}

COIR_HOOK ssize_t writev(int fd, const iovec* parts, int count) {
    if (!takes_call()) {
        return COIR_ORIGINAL(writev)(fd, parts, count);
    }
    return is_for_pool(fd) ? write_to_disk(fd, parts, count)
                           : raise_if_socket_broken(fd, posix::writev(fd, parts, count));
}

COIR_HOOK ssize_t sendfile(int out, int in, off_t* offset, std::size_t count) noexcept {
    return takes_call() ? posix::sendfile(out, in, offset, count)
                        : COIR_ORIGINAL(sendfile)(out, in, offset, count);
}

COIR_HOOK ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset,
                         std::size_t count, unsigned int flags) {
    return takes_call() ? posix::splice(in, in_offset, out, out_offset, count, flags)
                        : COIR_ORIGINAL(splice)(in, in_offset, out, out_offset, count, flags);
}

COIR_HOOK int eventfd_read(int fd, eventfd_t* value) {
    return ::read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
}

COIR_HOOK int eventfd_write(int fd, eventfd_t value) {
    return ::write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}

// Other names of the same.
static_assert(sizeof(off_t) == sizeof(off64_t), "sendfile64 is a function of its own here");
COIR_HOOK [[gnu::alias("sendfile")]] ssize_t sendfile64(int out, int in, off64_t* offset,
                                                        std::size_t count) noexcept;
COIR_HOOK [[gnu::alias("read")]] ssize_t __read(int fd, void* data, std::size_t size);
COIR_HOOK [[gnu::alias("write")]] ssize_t __write(int fd, const void* data, std::size_t size);

// What _FORTIFY_SOURCE makes of a read. libc's own ends the program where the buffer is too small.
COIR_HOOK ssize_t __read_chk(int fd, void* data, std::size_t size, std::size_t capacity) {
    return size > capacity ? COIR_ORIGINAL(__read_chk)(fd, data, size, capacity)
                           : ::read(fd, data, size);
}
