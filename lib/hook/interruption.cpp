// SPDX-License-Identifier: BSL-1.0
#include "hook/interruption.hpp"

#include "hook/interpose.hpp"

#include <coir/detail/interposition.hpp>

#include <execinfo.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

namespace coir::hook::detail {

namespace {

const void* interrupted_address(const void* context) noexcept {
    const mcontext_t& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
    return reinterpret_cast<const void*>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
    return reinterpret_cast<const void*>(machine.pc);
#else
#error "where this processor was interrupted is not known here"
#endif
}

// proc(5): the mask of a thread, as a hexadecimal number.
bool is_blocked(pid_t thread, int number) noexcept {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/task/%d/status", static_cast<int>(thread));
    std::FILE* const file = std::fopen(path, "re");
    if (file == nullptr) {
        return true;
    }
    char line[256];
    unsigned long long blocked = ~0ULL;
    while (std::fgets(line, sizeof line, file) != nullptr &&
           std::sscanf(line, "SigBlk: %llx", &blocked) != 1) {
    }
    std::fclose(file);
    return (blocked >> (number - 1) & 1) != 0;
}

// Nothing if there is no such signal: the number is 0.
void change_mask(int how, int number, sigset_t* before) noexcept {
    sigset_t set;
    ::sigemptyset(&set);
    if (number != 0) {
        ::sigaddset(&set, number);
    }
    ::pthread_sigmask(how, &set, before);
}

}  // namespace

void interruption::prepare() noexcept {
    void* frame = nullptr;
    ::backtrace(&frame, 1);  // it loads a library when it is first called
}

bool interruption::is_ours(int number) noexcept {
    struct sigaction now {};
    COIR_ORIGINAL(sigaction)(number, nullptr, &now);
    return (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == &handle;
}

// The one that was chosen before, unless the program has given it another handler since.
int interruption::signal_number() noexcept {
    constinit static int number = 0;
    if (number != 0 && is_ours(number)) {
        return number;
    }
    for (number = SIGRTMAX; number >= SIGRTMIN; --number) {
        struct sigaction now {};
        COIR_ORIGINAL(sigaction)(number, nullptr, &now);
        if ((now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL) {
            struct sigaction ours {};
            ours.sa_sigaction = &handle;
            ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
            ::sigfillset(&ours.sa_mask);
            COIR_ORIGINAL(sigaction)(number, &ours, nullptr);
            return number;
        }
    }
    return number = 0;
}

bool interruption::let_in() noexcept {
    const int number = signal_number();
    sigset_t before;
    change_mask(SIG_UNBLOCK, number, &before);
    return number != 0 && ::sigismember(&before, number) != 0;
}

void interruption::shut_out() noexcept {
    sigset_t before;
    change_mask(SIG_BLOCK, signal_number(), &before);
}

bool interruption::ask(pthread_t thread, pid_t id) noexcept {
    const int number = signal_number();
    if (number == 0 || is_blocked(id, number)) {
        return false;
    }
    thread_.store(id, std::memory_order_relaxed);
    state_.store(state::asked, std::memory_order_release);
    if (::pthread_sigqueue(thread, number, sigval{.sival_ptr = this}) != 0) {
        let_go();
        return false;
    }
    return true;
}

const interruption::answer* interruption::take() noexcept {
    state before = state::asked;
    if (state_.compare_exchange_strong(before, state::idle, std::memory_order_acquire)) {
        return nullptr;
    }
    while (before == state::answering) {  // in the handler, which waits for nobody
        std::this_thread::yield();
        before = state_.load(std::memory_order_acquire);
    }
    return before == state::answered ? &answer_ : nullptr;
}

void interruption::handle(int, siginfo_t* info, void* context) noexcept {
    const int error = errno;
    if (info->si_code == SI_QUEUE && info->si_pid == ::getpid()) {
        auto& self = *static_cast<interruption*>(info->si_value.sival_ptr);
        state expected = state::asked;
        // It may have come too late, and another thread is asked by now.
        if (self.thread_.load(std::memory_order_relaxed) == ::gettid() &&
            self.state_.compare_exchange_strong(expected, state::answering,
                                                std::memory_order_acquire)) {
            coir::detail::begin_signal_handler();
            self.fill(interrupted_address(context));
            coir::detail::end_signal_handler();
            self.state_.store(state::answered, std::memory_order_release);
        }
    }
    errno = error;
}

void interruption::fill(const void* interrupted_at) noexcept {
    const coir::detail::running_fiber fiber = coir::detail::who_runs();
    answer_.fiber = fiber.id;
    answer_.turns = fiber.turns;
    std::strncpy(answer_.name.data(), fiber.name, answer_.name.size() - 1);
    const auto begin = answer_.frames.begin();
    const auto end =
        begin + ::backtrace(answer_.frames.data(), static_cast<int>(answer_.frames.size()));
    // Without the handler's own frames.
    const auto first = std::find(begin, end, interrupted_at);
    answer_.depth = static_cast<int>(std::copy(first == end ? begin : first, end, begin) - begin);
}

}  // namespace coir::hook::detail
