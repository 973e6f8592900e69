// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>
#include <signal.h>

namespace coir::detail {

// Signals are for the program's own threads: while one of these lives, new threads block them. But
// not those that a thread's own fault raises: blocked, they would end the process with no look at
// its handlers.
class signals_blocked {
public:
    signals_blocked() noexcept {
        sigset_t most;
        sigfillset(&most);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
            sigdelset(&most, fault);
        }
        pthread_sigmask(SIG_SETMASK, &most, &before_);
    }
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;
    ~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

}  // namespace coir::detail
