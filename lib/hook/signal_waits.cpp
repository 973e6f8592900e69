// SPDX-License-Identifier: BSL-1.0
// Waiting for signals: sigwait and its like, which take one, and pause and sigsuspend, which wait
// for a handler.
//
// A descriptor tells that a signal is pending, signalfd(2), and takes nothing: it is taken by
// libc's own call, without waiting, by whoever comes first. Without a descriptor there are looks
// every 16 ms.
//
// sigsuspend's mask is the thread's for an instant only, as other fibers run while this one waits:
// in that instant the kernel lets in what is pending, and runs its handler. A signal that comes
// before is pending still, as the thread blocks it; one that comes later makes the descriptor
// readable. So none is lost in between.
#include "hook/cancelled.hpp"
#include "hook/interpose.hpp"
#include "hook/lock_line.hpp"

#include <coir/deadline.hpp>
#include <coir/detail/saturating_nanoseconds.hpp>
#include <coir/posix.hpp>

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>

using namespace coir::hook::detail;
using coir::deadline;
namespace posix = coir::posix;

namespace {

constexpr std::chrono::milliseconds between_looks{16};

timespec to_timespec(std::chrono::nanoseconds d) noexcept {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(d);
    return {static_cast<time_t>(seconds.count()), static_cast<long>((d - seconds).count())};
}

// Tells that one of the signals is pending, as long as it lives.
class pending_signals {
public:
    explicit pending_signals(const sigset_t& which) noexcept
        : descriptor_(::signalfd(-1, &which, SFD_CLOEXEC | SFD_NONBLOCK)) {}
    pending_signals(const pending_signals&) = delete;
    pending_signals& operator=(const pending_signals&) = delete;
    ~pending_signals() {
        if (descriptor_ >= 0) {
            const int before = errno;
            COIR_ORIGINAL(close)(descriptor_);  // nobody else waits for it
            errno = before;
        }
    }

    // Parks until one is pending, or the deadline. False: errno says why.
    bool wait(deadline until) noexcept {
        const bool has_descriptor = descriptor_ >= 0;
        if (!has_descriptor) {
            until = std::min(until, deadline::after(between_looks));
        }
        pollfd polled{descriptor_, POLLIN, 0};
        const timespec left = to_timespec(until.remaining());
        const int found = posix::ppoll(&polled, has_descriptor ? 1 : 0,
                                       until.is_never() ? nullptr : &left, nullptr);
        if (found > 0 && (polled.revents & POLLNVAL) != 0) {
            descriptor_ = -1;  // the program closes what it has not opened: it is not ours any more
        }
        return found >= 0;
    }

private:
    int descriptor_;
};

int fail(int error) noexcept {
    errno = error;
    return -1;
}

// As sigtimedwait(2). What is pending is taken in a cancelled scope, too: a client that has blocked
// SIGPIPE and takes what it has raised does so in its cleanup, or the signal ends the program.
int take(const sigset_t* which, siginfo_t* info, deadline until) noexcept {
    const int before = errno;
    std::optional<pending_signals> pending;
    for (;;) {
        // Read before the look, which then is no earlier than the deadline.
        const bool last = until.has_passed();
        const timespec no_time{};
        const int taken = COIR_ORIGINAL(sigtimedwait)(which, info, &no_time);
        const int outcome = taken < 0 ? errno : before;
        if (outcome != EAGAIN || taken >= 0 || last) {
            if (!pending) {
                spend_budget();
            }
            errno = outcome;
            return taken;
        }
        if (!pending) {
            pending.emplace(*which);
        }
        if (!pending->wait(until)) {
            return -1;
        }
    }
}

sigset_t blocked_signals() noexcept {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return mask;
}

// Those that are blocked now, and that the other mask lets in.
sigset_t let_in_by(const sigset_t& mask) noexcept {
    sigset_t result = blocked_signals();
    for (int number = 1; number < _NSIG; ++number) {
        if (::sigismember(&mask, number) == 1) {
            ::sigdelset(&result, number);
        }
    }
    return result;
}

// As sigsuspend(2).
int suspend(const sigset_t& mask) noexcept {
    if (const int error = error_of_cancellation(); error != 0) {
        return fail(error);
    }
    pending_signals pending(let_in_by(mask));
    for (;;) {
        const timespec no_time{};
        if (COIR_ORIGINAL(ppoll)(nullptr, 0, &no_time, &mask) < 0) {
            return -1;  // EINTR: a handler has run
        }
        if (!pending.wait(deadline::never())) {
            return -1;
        }
    }
}

int suspend_without(int number) noexcept {
    sigset_t mask = blocked_signals();
    return ::sigdelset(&mask, number) == 0 ? suspend(mask) : -1;
}

int suspend_by_bits(int bits) noexcept {
    sigset_t mask;
    ::sigemptyset(&mask);
    for (int number = 1; number <= 32; ++number) {
        if ((static_cast<unsigned>(bits) >> (number - 1) & 1) != 0) {
            ::sigaddset(&mask, number);
        }
    }
    return suspend(mask);
}

}  // namespace

COIR_HOOK int sigtimedwait(const sigset_t* which, siginfo_t* info, const timespec* timeout) {
    if (!takes_call()) {
        return COIR_ORIGINAL(sigtimedwait)(which, info, timeout);
    }
    if (timeout == nullptr) {
        return take(which, info, deadline::never());
    }
    if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1'000'000'000) {
        return fail(EINVAL);
    }
    return take(which, info,
                deadline::after(std::chrono::nanoseconds(coir::detail::saturating_add(
                    coir::detail::saturating_nanoseconds(std::chrono::seconds(timeout->tv_sec)),
                    timeout->tv_nsec))));
}

COIR_HOOK int sigwaitinfo(const sigset_t* which, siginfo_t* info) {
    return takes_call() ? take(which, info, deadline::never())
                        : COIR_ORIGINAL(sigwaitinfo)(which, info);
}

// No handler ends it.
COIR_HOOK int sigwait(const sigset_t* which, int* number) {
    if (!takes_call()) {
        return COIR_ORIGINAL(sigwait)(which, number);
    }
    const int before = errno;
    int taken = 0;
    do {
        taken = take(which, nullptr, deadline::never());
    } while (taken < 0 && errno == EINTR);
    const int error = taken < 0 ? errno : 0;
    errno = before;
    if (error == 0) {
        *number = taken;
    }
    return error;
}

COIR_HOOK_OF_FREE_NAME int pause() {
    return takes_call() ? posix::poll(nullptr, 0, -1) : COIR_ORIGINAL(pause)();
}

COIR_HOOK int sigsuspend(const sigset_t* mask) {
    return takes_call() ? suspend(*mask) : COIR_ORIGINAL(sigsuspend)(mask);
}

// Other names of the same.
COIR_HOOK [[gnu::nonnull, gnu::alias("sigsuspend")]] int __sigsuspend(const sigset_t* mask);

// sigpause is two functions: X/Open's, with one signal less blocked, and BSD's, with those blocked
// for which an int has bits. The headers have the first by that name, and libc the second.

COIR_HOOK int __xpg_sigpause(int number) {
    return takes_call() ? suspend_without(number)
                        : original<int(int)>(call::__xpg_sigpause)(number);
}

COIR_HOOK_OF_FREE_NAME int bsd_sigpause(int mask) asm("sigpause");
int bsd_sigpause(int mask) {
    return takes_call() ? suspend_by_bits(mask) : original<int(int)>(call::sigpause)(mask);
}

COIR_HOOK int __sigpause(int number_or_mask, int is_number) {
    if (!takes_call()) {
        return COIR_ORIGINAL(__sigpause)(number_or_mask, is_number);
    }
    return is_number != 0 ? suspend_without(number_or_mask) : suspend_by_bits(number_or_mask);
}
