// SPDX-License-Identifier: BSL-1.0
#include "base/system_calls.hpp"
#include "base/unique_fd.hpp"
#include "reactor/poll_timeout.hpp"
#include "reactor/poller.hpp"
#include "reactor/wake_channel.hpp"

#include <sys/epoll.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <system_error>
#include <vector>

namespace coir::detail {

namespace {

// epoll(7). Descriptors of ours are registered once, edge-triggered and for both directions, and
// leave by being closed; foreign ones with EPOLLONESHOT.
class epoll_poller final : public poller {
public:
    epoll_poller();

    const char* name() const noexcept override { return "epoll"; }
    bool has_standing_interest() const noexcept override { return true; }
    int set_standing(poller_key key) noexcept override;
    int set_one_shot(poller_key key, direction_set wanted) noexcept override;
    bool renew_standing(poller_key key) noexcept override;
    bool renew_one_shot(poller_key key, direction_set wanted) noexcept override;
    void forget(int) noexcept override {}  // close(2) takes it out; late events miss by generation
    std::size_t wait(deadline until, poller_event* events, std::size_t capacity) noexcept override;
    int descriptor() const noexcept override { return epoll_.get(); }
    void wake() noexcept override { wake_.raise(); }

private:
    static constexpr int kernel_events = 256;

    int control(int operation, poller_key key, std::uint32_t mask) noexcept;
    int register_or_change(poller_key key, std::uint32_t mask, bool likely_known) noexcept;
    bool change(poller_key key, std::uint32_t mask) noexcept;
    int wait_in_kernel(deadline until, int capacity) noexcept;
    bool likely_registered(int descriptor) const noexcept {
        return static_cast<std::size_t>(descriptor) < registered_.size() &&
               registered_[static_cast<std::size_t>(descriptor)];
    }

    own_descriptor epoll_;
    wake_channel wake_;  // edge-triggered, so it is never read: each raise() is an edge
    bool has_pwait2_ = true;
    // A guess that saves a system call: one-shot registrations stay, disarmed, until the close.
    std::vector<bool> registered_;
    std::array<epoll_event, kernel_events> raw_;
};

constexpr poller_key wake_key{-1, 0};
constexpr std::uint32_t standing_mask = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

std::uint32_t one_shot_mask(direction_set wanted) noexcept {
    return EPOLLONESHOT | (wanted.read ? EPOLLIN | EPOLLPRI | EPOLLRDHUP : 0U) |
           (wanted.write ? EPOLLOUT : 0U);
}

std::uint64_t pack(poller_key key) noexcept {
    return static_cast<std::uint64_t>(key.generation) << 32 |
           static_cast<std::uint32_t>(key.descriptor);
}

poller_key unpack(std::uint64_t data) noexcept {
    return {static_cast<int>(static_cast<std::uint32_t>(data)),
            static_cast<std::uint32_t>(data >> 32)};
}

epoll_poller::epoll_poller() : epoll_(sys.epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) {
        throw std::system_error(errno, std::generic_category(),
                                "coir: epoll_create1 (limits: ulimit -n, "
                                "/proc/sys/fs/epoll/max_user_instances)");
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = pack(wake_key);
    if (sys.epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.descriptor(), &event) != 0) {
        throw std::system_error(errno, std::generic_category(), "coir: epoll_ctl");
    }
}

int epoll_poller::control(int operation, poller_key key, std::uint32_t mask) noexcept {
    epoll_event event{};
    event.events = mask;
    event.data.u64 = pack(key);
    return sys.epoll_ctl(epoll_.get(), operation, key.descriptor, &event) == 0 ? 0 : errno;
}

// Whether the kernel knows the descriptor can only be guessed: it may have been closed, and its
// number given out again, behind our back.
int epoll_poller::register_or_change(poller_key key, std::uint32_t mask,
                                     bool likely_known) noexcept {
    const int saved = errno;
    int error = control(likely_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, key, mask);
    if (error == ENOENT) {
        error = control(EPOLL_CTL_ADD, key, mask);
    } else if (error == EEXIST) {
        error = control(EPOLL_CTL_MOD, key, mask);
    }
    errno = saved;
    return error;
}

int epoll_poller::set_standing(poller_key key) noexcept {
    return register_or_change(key, standing_mask, false);
}

// A registration is of a file under a number, and goes when the file does; so the kernel finds it
// (epoll_ctl(2): else ENOENT) only while the number has that file.
bool epoll_poller::change(poller_key key, std::uint32_t mask) noexcept {
    const int saved = errno;
    const int error = control(EPOLL_CTL_MOD, key, mask);
    errno = saved;
    return error == 0;
}

bool epoll_poller::renew_standing(poller_key key) noexcept { return change(key, standing_mask); }

bool epoll_poller::renew_one_shot(poller_key key, direction_set wanted) noexcept {
    const bool renewed = change(key, one_shot_mask(wanted));
    registered_[static_cast<std::size_t>(key.descriptor)] = renewed;
    return renewed;
}

int epoll_poller::set_one_shot(poller_key key, direction_set wanted) noexcept {
    if (wanted == direction_set{}) {
        const int saved = errno;
        control(EPOLL_CTL_DEL, key, 0);  // ENOENT and EBADF: gone already
        errno = saved;
        if (likely_registered(key.descriptor)) {
            registered_[static_cast<std::size_t>(key.descriptor)] = false;
        }
        return 0;
    }
    const auto number = static_cast<std::size_t>(key.descriptor);
    try {
        if (number >= registered_.size()) {
            registered_.resize(std::max(number + 1, 2 * registered_.size()));
        }
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
    const int error = register_or_change(key, one_shot_mask(wanted), registered_[number]);
    registered_[number] = error == 0;
    return error;
}

int epoll_poller::wait_in_kernel(deadline until, int capacity) noexcept {
    const poll_timeout timeout(until);
    if (has_pwait2_) {
        const int count =
            sys.epoll_pwait2(epoll_.get(), raw_.data(), capacity, timeout.as_timespec(), nullptr);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) {
            return count;
        }
        has_pwait2_ = false;  // before Linux 5.11, or a sandbox of that time, which says EPERM
    }
    return sys.epoll_wait(epoll_.get(), raw_.data(), capacity, timeout.as_milliseconds());
}

std::size_t epoll_poller::wait(deadline until, poller_event* events,
                               std::size_t capacity) noexcept {
    const int saved = errno;
    const int count =
        wait_in_kernel(until, static_cast<int>(std::min(capacity, std::size_t{kernel_events})));
    errno = saved;
    std::size_t used = 0;
    for (int i = 0; i < count; ++i) {
        const epoll_event& raw = raw_[static_cast<std::size_t>(i)];
        const poller_key key = unpack(raw.data.u64);
        if (key.descriptor == wake_key.descriptor) {
            continue;
        }
        const bool failed = (raw.events & (EPOLLERR | EPOLLHUP)) != 0;
        events[used++] = {key,
                          (raw.events & (EPOLLIN | EPOLLPRI)) != 0,
                          (raw.events & EPOLLOUT) != 0,
                          (raw.events & EPOLLRDHUP) != 0,
                          failed,
                          false};
    }
    return used;
}

}  // namespace

std::unique_ptr<poller> make_epoll_poller() { return std::make_unique<epoll_poller>(); }

}  // namespace coir::detail
