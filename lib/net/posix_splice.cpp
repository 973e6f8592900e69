// SPDX-License-Identifier: BSL-1.0
// sendfile, splice: data that goes from descriptor to descriptor.
#include <coir/posix.hpp>

#ifdef __linux__

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_descriptor_wait.hpp"
#include "net/posix_file_kind.hpp"
#include "net/posix_nonblocking_instant.hpp"
#include "net/posix_pending_error.hpp"

#include <sys/sendfile.h>
#include <optional>

namespace coir::detail {

namespace {

// What the kernel may not block on for the time of one call; what is non-blocking stays so.
class unblocked {
public:
    explicit unblocked(int fd) noexcept {
        if (const int flags = sys.fcntl(fd, F_GETFL, 0); flags >= 0 && (flags & O_NONBLOCK) == 0) {
            instant_.emplace(fd, flags);
        }
    }

private:
    std::optional<nonblocking_instant> instant_;
};

bool would_block(ssize_t result) noexcept {
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

// One side of a splice: whether it is what keeps the call from going on, and the wait for it.
class splice_side {
public:
    splice_side(int fd, direction what, unsigned int flags) noexcept
        : fd_(fd), what_(what), flags_(flags), wait_(fd, what) {}

    bool is_ready() const noexcept {
        return ready_events(fd_, what_ == direction::read ? POLLIN : POLLOUT) != 0;
    }

    bool until_ready() noexcept { return may_wait() && wait_.until_ready(); }
    bool for_a_moment() noexcept { return may_wait() && wait_.for_a_moment(); }

    bool waited() const noexcept { return wait_.waited(); }
    ssize_t fail() const noexcept { return wait_.fail(); }

private:
    // SPLICE_F_NONBLOCK is about pipes; any other side waits or does not as its O_NONBLOCK says.
    bool may_wait() const noexcept {
        return (flags_ & SPLICE_F_NONBLOCK) == 0 || file_kind_of(fd_) != file_kind::pipe;
    }

    const int fd_;
    const direction what_;
    const unsigned int flags_;
    descriptor_wait wait_;
};

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

// A blocking sendfile sends all, as a blocking write does; what it reads is a file on disk, and
// always ready.
ssize_t sendfile(int out, int in, off_t* offset, std::size_t count) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.sendfile(out, in, offset, count);
    }
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    detail::descriptor_wait wait(out, detail::direction::write);
    std::size_t moved = 0;
    ssize_t result = 0;
    while (moved < count) {
        {
            const detail::unblocked instant(out);
            result = sys.sendfile(out, in, offset, count - moved);
        }
        if (result > 0) {
            moved += static_cast<std::size_t>(result);
            wait.progressed();
        } else if (!detail::would_block(result)) {
            break;
        } else if (!wait.until_ready()) {
            // Asked only where nothing has moved: see descriptor_wait::fail().
            result = moved > 0 ? 0 : wait.fail();
            break;
        }
    }
    return call.end(moved > 0 ? static_cast<ssize_t>(moved) : result, wait.waited());
}

// A blocking splice waits until it can move something.
ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset, std::size_t count,
               unsigned int flags) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.splice(in, in_offset, out, out_offset, count, flags);
    }
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    detail::splice_side source(in, detail::direction::read, flags);
    detail::splice_side sink(out, detail::direction::write, flags);
    const auto waited = [&] {
        return source.waited() || sink.waited();
    };
    for (;;) {
        ssize_t result = 0;
        {
            const detail::unblocked source_instant(in);
            const detail::unblocked sink_instant(out);
            result = sys.splice(in, in_offset, out, out_offset, count, flags | SPLICE_F_NONBLOCK);
        }
        if (!detail::would_block(result)) {
            return call.end(result, waited());
        }
        if (!source.is_ready()) {
            if (!source.until_ready()) {
                return call.end(source.fail(), waited());
            }
        } else if (!sink.is_ready()) {
            if (!sink.until_ready()) {
                return call.end(sink.fail(), waited());
            }
        } else if (!sink.for_a_moment()) {  // writable, but not for a whole buffer
            return call.end(sink.fail(), waited());
        }
    }
}

}  // namespace coir::posix

#endif
