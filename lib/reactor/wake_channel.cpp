// SPDX-License-Identifier: BSL-1.0
#include "reactor/wake_channel.hpp"

#include "base/system_calls.hpp"

#include <fcntl.h>
#include <cerrno>
#include <cstdint>
#include <system_error>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace coir::detail {

wake_channel::wake_channel() {
#ifdef __linux__
    read_end_ = own_descriptor(sys.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!read_end_) {
        throw std::system_error(errno, std::generic_category(),
                                "coir: eventfd, to wake a carrier thread (limit: ulimit -n)");
    }
#else
    int ends[2];
    if (sys.pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(),
                                "coir: pipe, to wake a carrier thread (limit: ulimit -n)");
    }
    read_end_ = own_descriptor(ends[0]);
    write_end_ = own_descriptor(ends[1]);
#endif
}

void wake_channel::raise() noexcept {
    const int error = errno;
    const std::uint64_t one = 1;
    // Fails only if it is full, hence readable already, or interrupted before it did anything.
    while (sys.write((write_end_ ? write_end_ : read_end_).get(), &one, sizeof one) < 0 &&
           errno == EINTR) {
    }
    errno = error;
}

void wake_channel::clear() noexcept {
    const int error = errno;
    std::uint64_t count[32];
    while (sys.read(read_end_.get(), count, sizeof count) > 0 && write_end_) {
    }
    errno = error;
}

}  // namespace coir::detail
