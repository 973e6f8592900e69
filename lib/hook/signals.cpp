// SPDX-License-Identifier: BSL-1.0
// sigaction, and what libc makes of it: signal and its like, which call it inside of libc.
#include "hook/interpose.hpp"
#include "hook/signal_actions.hpp"

#include <signal.h>
#include <atomic>
#include <cerrno>
#include <cstdint>

using namespace coir::hook::detail;

namespace {

using handler_of_number = void (*)(int);

// A handler can be given before COIR_HOOK is read, and is there afterwards.
bool takes_actions() noexcept { return chosen.on || !chosen.read; }

// siginterrupt(3): the signals whose handlers signal() installs without SA_RESTART.
constinit std::atomic<std::uint64_t> interrupting = 0;

bool is_number(int number) noexcept { return number > 0 && number < _NSIG; }

std::uint64_t bit_of(int number) noexcept { return std::uint64_t{1} << (number - 1); }

handler_of_number refuse() noexcept {
    errno = EINVAL;
    return SIG_ERR;
}

handler_of_number install(int number, const struct sigaction& action) noexcept {
    struct sigaction before {};
    return change_action(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

}  // namespace

COIR_HOOK int sigaction(int number, const struct sigaction* action,
                        struct sigaction* before) noexcept {
    return takes_actions() ? change_action(number, action, before)
                           : COIR_ORIGINAL(sigaction)(number, action, before);
}

// As BSD has it.
COIR_HOOK handler_of_number signal(int number, handler_of_number handler) noexcept {
    if (!takes_actions()) {
        return COIR_ORIGINAL(signal)(number, handler);
    }
    if (!is_number(number) || handler == SIG_ERR) {
        return refuse();
    }
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigaddset(&action.sa_mask, number);
    const bool interrupts = (interrupting.load(std::memory_order_relaxed) & bit_of(number)) != 0;
    action.sa_flags = interrupts ? 0 : SA_RESTART;
    return install(number, action);
}

// As System V has it: once, and no other signal waits for it.
COIR_HOOK handler_of_number __sysv_signal(int number, handler_of_number handler) noexcept {
    constexpr int sa_interrupt = 0x20000000;  // of no effect; libc sets it, and a program sees it
    if (!takes_actions()) {
        return COIR_ORIGINAL(__sysv_signal)(number, handler);
    }
    if (!is_number(number) || handler == SIG_ERR) {
        return refuse();
    }
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER | sa_interrupt);
    return install(number, action);
}

COIR_HOOK_OF_FREE_NAME handler_of_number sigset(int number, handler_of_number handler) noexcept {
    if (!takes_actions()) {
        return original<handler_of_number(int, handler_of_number)>(call::sigset)(number, handler);
    }
    if (!is_number(number) || handler == SIG_ERR) {
        return refuse();
    }
    sigset_t itself;
    ::sigemptyset(&itself);
    ::sigaddset(&itself, number);
    struct sigaction before {};
    struct sigaction action {};
    action.sa_handler = handler;
    const bool holds = handler == SIG_HOLD;
    if (change_action(number, holds ? nullptr : &action, &before) != 0) {
        return SIG_ERR;
    }
    sigset_t mask;
    ::sigprocmask(holds ? SIG_BLOCK : SIG_UNBLOCK, &itself, &mask);
    return ::sigismember(&mask, number) != 0 ? SIG_HOLD : before.sa_handler;
}

COIR_HOOK_OF_FREE_NAME int siginterrupt(int number, int interrupts) noexcept {
    if (!takes_actions()) {
        return original<int(int, int)>(call::siginterrupt)(number, interrupts);
    }
    struct sigaction action {};
    if (change_action(number, nullptr, &action) != 0) {
        return -1;
    }
    if (interrupts != 0) {
        interrupting.fetch_or(bit_of(number), std::memory_order_relaxed);
        action.sa_flags &= ~SA_RESTART;
    } else {
        interrupting.fetch_and(~bit_of(number), std::memory_order_relaxed);
        action.sa_flags |= SA_RESTART;
    }
    return change_action(number, &action, nullptr);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("sigaction")]] int __sigaction(int number, const struct sigaction* action,
                                                      struct sigaction* before) noexcept;
COIR_HOOK_OF_FREE_NAME [[gnu::alias("signal")]] handler_of_number bsd_signal(
    int number, handler_of_number handler) noexcept;
COIR_HOOK_OF_FREE_NAME [[gnu::alias("signal")]] handler_of_number ssignal(
    int number, handler_of_number handler) noexcept;
COIR_HOOK_OF_FREE_NAME [[gnu::alias("__sysv_signal")]] handler_of_number sysv_signal(
    int number, handler_of_number handler) noexcept;
