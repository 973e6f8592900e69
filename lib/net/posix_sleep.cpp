// SPDX-License-Identifier: BSL-1.0
// sleep, usleep, nanosleep, clock_nanosleep.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "core/signal_line.hpp"
#include "net/posix_call.hpp"
#include "net/posix_timespec.hpp"
#include "reactor/wait_io.hpp"
#include "time/clock.hpp"

#include <coir/wait_queue.hpp>

#include <algorithm>

namespace coir::detail {

namespace {

// 0, or the errno of the cancellation or of a signal.
int sleep_until(deadline until, signal_watch& watch) noexcept {
    if (cancellation_pending()) {
        return cancellation_errno();
    }
    if (until.has_passed()) {
        spend_budget();
        return 0;
    }
    watch.begin();
    for (;;) {
        // A thread in a scope sleeps in poll(2), which a signal ends.
        const wait_status status =
            scheduler::current() != nullptr
                ? watch.park(ended_by::any_handler, until, {"sleep"})
                : wait_io_any(nullptr, 0, until, cancellable::yes, ended_by::any_handler).status;
        switch (status) {
            case wait_status::timed_out: return 0;
            case wait_status::cancelled: return errno_of_cancelled_wait();
            case wait_status::notified: break;
        }
        if (watch.is_over(ended_by::any_handler)) {
            return EINTR;
        }
    }
}

int sleep_for(const timespec& duration, timespec* left, signal_watch& watch) noexcept {
    const deadline until = deadline_after(duration);
    const int error = sleep_until(until, watch);
    if (error != 0 && left != nullptr) {
        *left = until.is_never() ? duration : to_timespec(until.remaining());
    }
    return error;
}

// What is left until a time on a clock; zero once it has come.
timespec left_until(const timespec& instant, clockid_t clock) noexcept {
    timespec current{};
    ::clock_gettime(clock, &current);
    timespec left{instant.tv_sec - current.tv_sec, instant.tv_nsec - current.tv_nsec};
    if (left.tv_nsec < 0) {
        left.tv_nsec += 1'000'000'000;
        --left.tv_sec;
    }
    return left.tv_sec >= 0 ? left : timespec{};
}

// An instant of a clock that can be set, or goes on while the machine is suspended: such a sleep
// follows the clock, so the clock is asked again when it should be due and once a second.
int sleep_until_on(const timespec& instant, clockid_t clock) noexcept {
    constexpr timespec longest{1, 0};
    signal_watch watch;
    for (;;) {
        timespec left = left_until(instant, clock);
        const bool whole = left.tv_sec < longest.tv_sec || current_clock() != nullptr;
        const int error = sleep_for(whole ? left : longest, nullptr, watch);
        // A virtual clock has come to the end of the sleep; the other clock does not follow it.
        if (error != 0 || (whole && current_clock() != nullptr)) {
            return error;
        }
        left = left_until(instant, clock);
        if (left.tv_sec == 0 && left.tv_nsec == 0) {
            return 0;
        }
    }
}

bool goes_on_by_itself(clockid_t clock) noexcept {
#ifdef __linux__
    if (clock == CLOCK_BOOTTIME || clock == CLOCK_TAI) {
        return true;
    }
#endif
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

unsigned int sleep(unsigned int seconds) noexcept {
    const timespec duration{static_cast<time_t>(seconds), 0};
    timespec left{};
    if (posix_call::is_for_libc()) {
        return sys.nanosleep(&duration, &left) == 0 ? 0 : static_cast<unsigned int>(left.tv_sec);
    }
    detail::signal_watch watch;
    const int error = detail::sleep_for(duration, &left, watch);
    if (error == 0) {
        return 0;
    }
    errno = error;
    if (error == EINTR) {  // as glibc has it
        return static_cast<unsigned int>(left.tv_sec);
    }
    // At least 1: the caller must be able to see that the sleep was cut short.
    const auto rounded_up = static_cast<unsigned int>(left.tv_sec + (left.tv_nsec > 0 ? 1 : 0));
    return std::max(rounded_up, 1U);
}

int usleep(useconds_t microseconds) noexcept {
    const timespec duration{static_cast<time_t>(microseconds / 1'000'000),
                            static_cast<long>(microseconds % 1'000'000) * 1'000};
    return posix::nanosleep(&duration, nullptr);
}

int nanosleep(const timespec* duration, timespec* left) noexcept {
    if (posix_call::is_for_libc() || duration == nullptr) {
        return sys.nanosleep(duration, left);
    }
    detail::signal_watch watch;
    const int error =
        detail::is_valid(*duration) ? detail::sleep_for(*duration, left, watch) : EINVAL;
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* request, timespec* left) noexcept {
    if (posix_call::is_for_libc() || request == nullptr || !detail::goes_on_by_itself(clock)) {
        return sys.clock_nanosleep(clock, flags, request, left);
    }
    if (!detail::is_valid(*request)) {
        return EINVAL;
    }
    const int before = errno;  // it stays out of errno, whatever happens
    int error = 0;
    detail::signal_watch watch;
    if ((flags & TIMER_ABSTIME) == 0) {
        error = detail::sleep_for(*request, left, watch);
    } else if (clock == CLOCK_MONOTONIC) {
        error = detail::sleep_until(detail::deadline_at(*request), watch);
    } else {
        error = detail::sleep_until_on(*request, clock);
    }
    errno = before;
    return error;
}

}  // namespace coir::posix
