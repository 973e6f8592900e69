// SPDX-License-Identifier: BSL-1.0
#include "hook/interpose.hpp"

#include <coir/posix.hpp>

#include <threads.h>
#include <cerrno>

using namespace coir::hook::detail;
namespace posix = coir::posix;

COIR_HOOK unsigned int sleep(unsigned int seconds) {
    return takes_call() ? posix::sleep(seconds) : COIR_ORIGINAL(sleep)(seconds);
}

COIR_HOOK int usleep(useconds_t microseconds) {
    return takes_call() ? posix::usleep(microseconds) : COIR_ORIGINAL(usleep)(microseconds);
}

COIR_HOOK int nanosleep(const timespec* duration, timespec* left) {
    return takes_call() ? posix::nanosleep(duration, left)
                        : COIR_ORIGINAL(nanosleep)(duration, left);
}

COIR_HOOK int clock_nanosleep(clockid_t clock, int flags, const timespec* request, timespec* left) {
    return takes_call() ? posix::clock_nanosleep(clock, flags, request, left)
                        : COIR_ORIGINAL(clock_nanosleep)(clock, flags, request, left);
}

// C11: 0, -1 where a signal has ended it, another negative number for any other error.
COIR_HOOK int thrd_sleep(const timespec* duration, timespec* left) {
    if (!takes_call()) {
        return COIR_ORIGINAL(thrd_sleep)(duration, left);
    }
    constexpr int interrupted = -1;
    constexpr int failed = -2;
    const int before = errno;
    const int error = posix::clock_nanosleep(CLOCK_REALTIME, 0, duration, left);
    errno = before;
    return error == 0 ? 0 : error == EINTR ? interrupted : failed;
}

// Another name of the same.
COIR_HOOK [[gnu::alias("nanosleep")]] int __nanosleep(const timespec* duration, timespec* left);
