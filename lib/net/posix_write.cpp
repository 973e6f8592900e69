// SPDX-License-Identifier: BSL-1.0
// write, writev: to descriptors of any kind.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_descriptor_wait.hpp"
#include "net/posix_file_kind.hpp"
#include "net/posix_nonblocking_instant.hpp"
#include "net/posix_parts.hpp"
#include "net/posix_pending_error.hpp"
#include "net/posix_send.hpp"

#include <climits>

namespace coir::detail {

namespace {

// A terminal that says it is writable has room for some bytes, and nobody can ask it for how many.
// It must not be made non-blocking even for an instant: it is shared with the shell, which would
// keep the flag if this process were killed just then.
constexpr std::size_t terminal_piece = 256;

// The tries at a write that cannot block, to something that is neither a socket nor on disk.
class file_writer {
public:
    file_writer(int fd, file_kind kind, const iovec* parts, int count) noexcept
        : fd_(fd),
          kind_(kind),
          given_(parts),
          given_count_(count),
          parts_(parts, std::size_t(count)),
          total_(parts_.total()) {}

    std::size_t total() const noexcept { return total_; }

    ssize_t try_after(std::size_t moved) noexcept {
#ifdef __linux__
        if (!by_poll_) {
            const ssize_t result = try_nowait(moved);
            if (result >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) {
                return result;
            }
            by_poll_ = true;
        }
#endif
        if (ready_events(fd_, POLLOUT) == 0) {
            errno = EAGAIN;
            return -1;
        }
        if (kind_ == file_kind::pipe) {
            // Writable means that there is room for PIPE_BUF bytes. A write of that size or less
            // must not be torn, and is not: it fits the piece.
            return write_piece(moved, PIPE_BUF);
        }
        if (::isatty(fd_) != 0) {
            return write_piece(moved, terminal_piece);
        }
        // Such as an eventfd: writable means that a small number could be added.
        const int flags = sys.fcntl(fd_, F_GETFL, 0);
        if (flags < 0 || (flags & O_NONBLOCK) != 0) {
            return write_piece(moved, total_);
        }
        const nonblocking_instant instant(fd_, flags);
        return write_piece(moved, total_);
    }

private:
#ifdef __linux__
    ssize_t try_nowait(std::size_t moved) noexcept {
        if (moved == 0) {  // all at once: up to PIPE_BUF bytes in however many parts go untorn
            return sys.pwritev2(fd_, given_, given_count_, -1, RWF_NOWAIT);
        }
        const auto rest = parts_.after(moved);
        return sys.pwritev2(fd_, rest.parts.data(), static_cast<int>(rest.count), -1, RWF_NOWAIT);
    }
#endif

    ssize_t write_piece(std::size_t moved, std::size_t limit) noexcept {
        if (moved == 0 && total_ <= limit) {
            return sys.writev(fd_, given_, given_count_);
        }
        const auto rest = parts_.after(moved, limit);
        return sys.writev(fd_, rest.parts.data(), static_cast<int>(rest.count));
    }

    const int fd_;
    const file_kind kind_;
    const iovec* const given_;
    const int given_count_;
    const transfer_parts parts_;
    const std::size_t total_;
    bool by_poll_ = false;
};

ssize_t write_to_file(descriptor_wait& wait, int fd, const iovec* parts, int count) noexcept {
    const file_kind kind = file_kind_of(fd);
    if (kind == file_kind::on_disk || kind == file_kind::invalid) {
        return sys.writev(fd, parts, count);
    }
    file_writer writer(fd, kind, parts, count);
    std::size_t moved = 0;
    for (;;) {
        const ssize_t more = writer.try_after(moved);
        if (more >= 0) {
            moved += static_cast<std::size_t>(more);
            wait.progressed();
            if (moved >= writer.total() || more == 0) {
                break;
            }
        } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
            return moved > 0 ? static_cast<ssize_t>(moved) : -1;
        } else if (!wait.until_ready()) {
            return moved > 0 ? static_cast<ssize_t>(moved) : wait.fail();
        }
    }
    return static_cast<ssize_t>(moved);
}

// `send` tries it as on a socket, without waiting.
template <class Send>
ssize_t write_any(int fd, const iovec* parts, int count, Send send) noexcept {
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    descriptor_wait wait(fd, direction::write);
    ssize_t result =
        send_on_socket(wait, fd, MSG_NOSIGNAL, {parts, static_cast<std::size_t>(count)}, send);
    if (result < 0 && errno == ENOTSOCK) {
        result = write_to_file(wait, fd, parts, count);
    }
    return call.end(result, wait.waited());
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

ssize_t write(int fd, const void* data, std::size_t size) noexcept {
    const iovec part{const_cast<void*>(data), size};
    if (posix_call::is_for_libc()) {
        return sys.write(fd, data, size);
    }
    return detail::write_any(fd, &part, 1,
                             [&] { return sys.send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT); });
}

ssize_t writev(int fd, const iovec* parts, int count) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.writev(fd, parts, count);
    }
    // What is wrong is for writev itself to say: sendmsg has other limits and errors.
    if (parts == nullptr || count <= 0 || count > IOV_MAX) {
        posix_call call;
        return call.begin() ? call.end(sys.writev(fd, parts, count), false) : -1;
    }
    return detail::write_any(fd, parts, count, [&] {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(parts);
        message.msg_iovlen = static_cast<std::size_t>(count);
        return sys.sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    });
}

}  // namespace coir::posix
