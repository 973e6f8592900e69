// SPDX-License-Identifier: BSL-1.0
// read, readv: of descriptors of any kind.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_descriptor_wait.hpp"
#include "net/posix_file_kind.hpp"
#include "net/posix_pending_error.hpp"

#include <termios.h>
#include <climits>
#include <optional>

namespace coir::detail {

namespace {

// A terminal in raw mode with MIN 0 is read with a timeout of its own, after which the read gives 0
// bytes: termios(3), "polling read" and "read with timeout".
std::optional<deadline> terminal_timeout(int fd) noexcept {
    termios settings{};
    if (::tcgetattr(fd, &settings) != 0 || (settings.c_lflag & ICANON) != 0 ||
        settings.c_cc[VMIN] != 0) {
        return std::nullopt;
    }
    return deadline::after(std::chrono::milliseconds(100 * settings.c_cc[VTIME]));
}

// One try that cannot block, for what knows no RWF_NOWAIT. Between the look and the read no other
// fiber of the thread runs.
ssize_t read_if_ready(int fd, const iovec* parts, int count) noexcept {
    if (ready_events(fd, POLLIN) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return sys.readv(fd, parts, count);
}

ssize_t read_without_blocking([[maybe_unused]] bool& by_poll, int fd, const iovec* parts,
                              int count) noexcept {
#ifdef __linux__
    if (!by_poll) {
        const ssize_t result = sys.preadv2(fd, parts, count, -1, RWF_NOWAIT);
        if (result >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) {
            return result;
        }
        by_poll = true;
    }
#endif
    return read_if_ready(fd, parts, count);
}

ssize_t read_from_file(descriptor_wait& wait, int fd, const iovec* parts, int count) noexcept {
    const file_kind kind = file_kind_of(fd);
    if (kind == file_kind::on_disk || kind == file_kind::invalid) {
        return sys.readv(fd, parts, count);
    }
    bool by_poll = false;
    std::optional<deadline> terminal;
    for (;;) {
        const ssize_t result = read_without_blocking(by_poll, fd, parts, count);
        if (result >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
            return result;
        }
        if (by_poll && !terminal && kind == file_kind::other) {
            terminal = terminal_timeout(fd);
            wait.limit(terminal.value_or(deadline::never()));
        }
        if (!wait.until_ready()) {
            return wait.timed_out() && terminal ? 0 : wait.fail();
        }
    }
}

// `receive` tries it as on a socket, without waiting.
template <class Receive>
ssize_t read_any(int fd, const iovec* parts, int count, Receive receive) noexcept {
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    descriptor_wait wait(fd, direction::read);
    ssize_t result = receive();
    while (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        if (!wait.until_ready()) {
            return call.end(static_cast<ssize_t>(wait.fail()), wait.waited());
        }
        result = receive();
    }
    if (result < 0 && errno == ENOTSOCK) {
        result = read_from_file(wait, fd, parts, count);
    }
    return call.end(result, wait.waited());
}

bool holds_nothing(const iovec* parts, int count) noexcept {
    for (int i = 0; i < count; ++i) {
        if (parts[i].iov_len > 0) {
            return false;
        }
    }
    return true;
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

ssize_t read(int fd, void* data, std::size_t size) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.read(fd, data, size);
    }
    if (size == 0) {  // read gives 0 then, where recv would wait
        posix_call call;
        return call.begin() ? call.end(sys.read(fd, data, 0), false) : -1;
    }
    const iovec part{data, size};
    return detail::read_any(fd, &part, 1, [&] { return sys.recv(fd, data, size, MSG_DONTWAIT); });
}

ssize_t readv(int fd, const iovec* parts, int count) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.readv(fd, parts, count);
    }
    // What is wrong is for readv itself to say: recvmsg has other limits and errors.
    if (parts == nullptr || count < 0 || count > IOV_MAX || detail::holds_nothing(parts, count)) {
        posix_call call;
        return call.begin() ? call.end(sys.readv(fd, parts, count), false) : -1;
    }
    return detail::read_any(fd, parts, count, [&] {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(parts);
        message.msg_iovlen = static_cast<std::size_t>(count);
        return sys.recvmsg(fd, &message, MSG_DONTWAIT);
    });
}

}  // namespace coir::posix
