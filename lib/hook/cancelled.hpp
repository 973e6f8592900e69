// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/cancellation.hpp>
#include <coir/posix.hpp>
#include <coir/this_fiber.hpp>

#include <cerrno>

namespace coir::hook::detail {

// Whether a scope around the caller is cancelled, and it has not been told yet.
inline bool is_cancelled() noexcept {
    try {
        this_fiber::check_cancelled();
        return false;
    } catch (const operation_cancelled&) {
        return true;
    }
}

// Why a call fails on behalf of a cancelled scope: ECANCELED, or ETIMEDOUT where a deadline was the
// cause; 0: it does not. The scope is told that a call has failed, so that with_timeout() throws.
inline int error_of_cancellation() noexcept {
    const int before = errno;
    const int error = posix::usleep(0) < 0 ? errno : 0;
    errno = before;
    return error;
}

}  // namespace coir::hook::detail
