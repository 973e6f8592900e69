// SPDX-License-Identifier: BSL-1.0
// wait, wait3, wait4, waitpid, waitid: until a child has ended, stopped or gone on.
//
// The kernel is asked with WNOHANG. Between two looks a fiber that waits for the end of one child
// parks on a descriptor of it, pidfd_open(2). Nothing tells of the end of any out of several, nor
// of a stop: then the looks are 1, 2, 4 .. 16 ms apart. SIGCHLD could, but that is the program's,
// which may ignore it, block it or wait for it.
//
// A tracer waits for its child's stops without saying so, and may become one meanwhile. So even
// with a descriptor there are looks after 1, 3, 7, 15 .. ms: few, however long it takes, and none
// later than twice what it took.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "base/unique_fd.hpp"
#include "core/signal_line.hpp"
#include "net/posix_call.hpp"
#include "net/posix_descriptor_wait.hpp"
#include "net/posix_paced_wait.hpp"

#include <chrono>
#include <optional>

#ifdef __linux__
#include <sys/resource.h>
#endif

namespace coir::detail {

namespace {

constexpr pid_t any_child = -1;

#ifdef __linux__
constexpr int type_pidfd = 3;  // P_PIDFD, which older headers lack
#endif

// The waiting of one call. It is asked only after the kernel has said that there is nothing yet.
class child_wait {
public:
    // `child` is one process, or 0 or less where there may be several.
    child_wait(pid_t child, int options) noexcept
        : child_(child),
          awaits_stops_((options & (WUNTRACED | WCONTINUED)) != 0),
          pace_({"a child process", child > 0 ? child : -1, true}) {}

    // The child is that of a descriptor of the program's own.
    static child_wait on_pidfd(int pidfd, int options) noexcept {
        child_wait wait(any_child, options);
        if (!wait.awaits_stops_) {
            wait.begin_on(pidfd);
        }
        return wait;
    }

    // Parks until a look may find something. False: the call is over, and errno tells why.
    [[nodiscard]] bool until_changed() noexcept {
        watch_.begin();
        if (watch_.is_over(ended_by::handlers_without_restart)) {
            errno = EINTR;
            return false;
        }
        open_descriptor();
        if (!end_) {
            return pace_.for_a_moment() || pace_.fail() == 0;
        }
        if (end_->until_ready()) {
            return true;
        }
        if (end_->timed_out()) {
            begin_on(fd_);
            return true;
        }
        end_->fail();
        if (errno != EBADF || !descriptor_) {
            return false;
        }
        // The program closes what it has not opened. The number is not ours any more.
        static_cast<void>(descriptor_.release());
        end_.reset();
        return true;
    }

    bool waited() const noexcept { return waited_; }

private:
    // Without one, be it that the kernel has none or that there are too many, the looks are paced.
    void open_descriptor() noexcept {
        waited_ = true;
#ifdef __linux__
        if (child_ > 0 && !awaits_stops_) {
            descriptor_.reset(sys.pidfd_open(child_, 0));
            if (descriptor_) {
                begin_on(descriptor_.get());
            }
        }
#endif
        child_ = any_child;  // once
    }

    void begin_on(int fd) noexcept {
        fd_ = fd;
        end_.emplace(fd, direction::read);
        end_->limit(deadline::after(next_look_));
        next_look_ *= 2;
    }

    pid_t child_;
    const bool awaits_stops_;
    bool waited_ = false;
    unique_fd descriptor_;
    int fd_ = -1;  // it, or the program's
    std::optional<descriptor_wait> end_;
    std::chrono::milliseconds next_look_{1};
    paced_wait pace_;
    signal_watch watch_;  // of the call, which is made of several waits
};

// `look` asks the kernel with WNOHANG: negative is an error, 0 nothing yet.
template <class Look>
pid_t await_child(child_wait&& wait, int options, Look look) noexcept {
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    pid_t found = look();
    while (found == 0 && (options & WNOHANG) == 0) {
        found = wait.until_changed() ? look() : -1;
    }
    return call.end(found, wait.waited());
}

#ifdef __linux__
bool is_nonblocking(int fd) noexcept {
    const int flags = sys.fcntl(fd, F_GETFL, 0);
    return flags >= 0 && (flags & O_NONBLOCK) != 0;
}
#endif

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::child_wait;
using detail::posix_call;
using detail::sys;

pid_t waitpid(pid_t which, int* status, int options) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.waitpid(which, status, options);
    }
    return detail::await_child(child_wait(which, options), options,
                               [&] { return sys.waitpid(which, status, options | WNOHANG); });
}

pid_t wait(int* status) noexcept { return posix::waitpid(detail::any_child, status, 0); }

int waitid(idtype_t type, id_t which, siginfo_t* info, int options) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.waitid(type, which, info, options);
    }
    const auto make_wait = [&] {
#ifdef __linux__
        if (static_cast<int>(type) == detail::type_pidfd) {
            return child_wait::on_pidfd(static_cast<int>(which), options);
        }
#endif
        return child_wait(type == P_PID ? static_cast<pid_t>(which) : detail::any_child, options);
    };
    siginfo_t found{};
    const pid_t result = detail::await_child(make_wait(), options, [&]() -> pid_t {
        int how = options | WNOHANG;
#ifdef __linux__
        // The kernel tells a program that has made its pidfd non-blocking so, unless it is asked
        // with WNOHANG.
        if (static_cast<int>(type) == detail::type_pidfd &&
            detail::is_nonblocking(static_cast<int>(which))) {
            how = options;
        }
#endif
        found.si_pid = 0;
        const int failed = sys.waitid(type, which, &found, how);
        return failed != 0 ? failed : found.si_pid;
    });
    if (result >= 0 && info != nullptr) {
        *info = found;
    }
    return result < 0 ? -1 : 0;
}

#ifdef __linux__
pid_t wait4(pid_t which, int* status, int options, rusage* usage) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.wait4(which, status, options, usage);
    }
    return detail::await_child(child_wait(which, options), options,
                               [&] { return sys.wait4(which, status, options | WNOHANG, usage); });
}

pid_t wait3(int* status, int options, rusage* usage) noexcept {
    return posix::wait4(detail::any_child, status, options, usage);
}
#endif

}  // namespace coir::posix
