// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scheduler.hpp"
#include "core/scope.hpp"
#include "core/waiter.hpp"

#include <cerrno>

namespace coir::detail {

// The errno of a call whose wait was cancelled. A plain thread's scopes know of their deadlines
// only when they are asked.
inline int errno_of_cancelled_wait() noexcept {
    return cancellation_pending() ? cancellation_errno() : ECANCELED;
}

// What every libc-shaped call has in common: it is a cancellation point whether or not it waits, it
// leaves errno alone if it succeeds (OpenSSL took an EAGAIN that a first try had left behind at end
// of file for the file's), and it counts against the fiber's budget if it did not wait.
class posix_call {
public:
    // True on a plain thread outside of all scopes: there is nobody else to run and nothing that
    // could end a wait, so libc itself is called.
    static bool is_for_libc() noexcept {
        return scheduler::current() == nullptr && innermost_scope() == nullptr;
    }

    // False if the call has failed before it began; then errno says why.
    [[nodiscard]] bool begin() noexcept {
        if (cancellation_pending()) {
            spend_budget();  // code that tries again for ever must not keep others from running
            errno = cancellation_errno();
            return false;
        }
        return true;
    }

    // The call's result passes through here, after errno was set if it is negative.
    template <class Result>
    Result end(Result result, bool waited) noexcept {
        const int outcome = result < 0 ? errno : errno_before_;
        if (!waited) {
            spend_budget();
        }
        errno = outcome;
        return result;
    }

private:
    const int errno_before_ = errno;
};

}  // namespace coir::detail
