// SPDX-License-Identifier: BSL-1.0
// close and its like. They do not wait; but who waits for the descriptor must be told before its
// number is another file's, and that is as true of a close on a plain thread. A signal's handler
// tells nobody, since it may have interrupted whoever keeps the books of those who wait.
#include "hook/handler_frame.hpp"
#include "hook/interpose.hpp"

#include <coir/posix.hpp>

#include <unistd.h>

using namespace coir::hook::detail;
namespace posix = coir::posix;

namespace {

bool tells_others() noexcept { return enabled() && !handler_frame::is_inside(); }

}  // namespace

COIR_HOOK int close(int fd) { return tells_others() ? posix::close(fd) : COIR_ORIGINAL(close)(fd); }

COIR_HOOK int dup2(int old_fd, int new_fd) noexcept {
    return tells_others() ? posix::dup2(old_fd, new_fd) : COIR_ORIGINAL(dup2)(old_fd, new_fd);
}

COIR_HOOK int dup3(int old_fd, int new_fd, int flags) noexcept {
    return tells_others() ? posix::dup3(old_fd, new_fd, flags)
                          : COIR_ORIGINAL(dup3)(old_fd, new_fd, flags);
}

COIR_HOOK int close_range(unsigned int first, unsigned int last, int flags) noexcept {
    return enabled() ? posix::close_range(first, last, flags)
                     : COIR_ORIGINAL(close_range)(first, last, flags);
}

COIR_HOOK void closefrom(int first) noexcept {
    if (enabled()) {
        posix::closefrom(first);
    } else {
        COIR_ORIGINAL(closefrom)(first);
    }
}

// Other names of the same.
COIR_HOOK [[gnu::alias("close")]] int __close(int fd);
COIR_HOOK [[gnu::alias("dup2")]] int __dup2(int old_fd, int new_fd) noexcept;
