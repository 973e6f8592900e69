// SPDX-License-Identifier: BSL-1.0
// What the program does about signals. A handler of its own is called by one of ours, so that
// inside of it no call switches fibers, and that the fibers which wait on its thread learn of it.
//
// What the program has asked for stays with the kernel, flags and mask included; kept here is the
// address of its handler alone, and of the flags a copy. So the kernel does what it always does:
// SA_RESETHAND, SA_NODEFER, SA_ONSTACK, inheritance, exec. Who has a handler in the kernel without
// us, from before or by a raw system call, is shown to the program as he stands there.
//
// A handler can run at any moment, on any thread, while another thread changes it: it reads its
// entry again until it has seen one state of it. Who changes has all signals blocked, so no handler
// waits for its own thread. Between the kernel's change and ours a signal that was delivered for
// the one handler may call the other. Either is right for a signal that comes in that moment.
#include "hook/signal_actions.hpp"

#include "hook/handler_frame.hpp"
#include "hook/interpose.hpp"

#include <coir/detail/interposition.hpp>
#include <coir/detail/spin_lock.hpp>

#include <pthread.h>
#include <signal.h>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>

namespace coir::hook::detail {

namespace {

using handler_function = void (*)();  // what it takes is for the flags to say
using handler_of_number = void (*)(int);
using handler_with_info = void (*)(int, siginfo_t*, void*);

struct handler {
    handler_function function;
    int flags;  // those of sigaction(2)
};

// Written by one at a time.
class handler_entry {
public:
    handler read() const noexcept {
        for (;;) {
            const std::uint32_t version = version_.load(std::memory_order_acquire);
            const handler found{function_.load(std::memory_order_acquire),
                                flags_.load(std::memory_order_acquire)};
            // The loads above acquire, so this one comes after them.
            if (version % 2 == 0 && version_.load(std::memory_order_relaxed) == version) {
                return found;
            }
            coir::detail::pause_while_spinning();
        }
    }

    // The stores that follow the first release, so it comes before them.
    void write(const handler& h) noexcept {
        const std::uint32_t version = version_.load(std::memory_order_relaxed);
        version_.store(version + 1, std::memory_order_relaxed);
        function_.store(h.function, std::memory_order_release);
        flags_.store(h.flags, std::memory_order_release);
        version_.store(version + 2, std::memory_order_release);
    }

    // In the child of a fork(2), where who was writing is not: what is there counts as written.
    void settle() noexcept {
        if (version_.load(std::memory_order_relaxed) % 2 != 0) {
            version_.fetch_add(1, std::memory_order_release);
        }
    }

private:
    static_assert(std::atomic<std::uint32_t>::is_always_lock_free &&
                  std::atomic<handler_function>::is_always_lock_free &&
                  std::atomic<int>::is_always_lock_free);
    std::atomic<std::uint32_t> version_{0};
    std::atomic<handler_function> function_{nullptr};
    std::atomic<int> flags_{0};
};

constexpr int signal_count = _NSIG;

constinit std::array<handler_entry, signal_count> entries;
constinit coir::detail::spin_lock writers;

class all_signals_blocked {
public:
    all_signals_blocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;
    ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

// One that the thread itself has raised, by a fault or by a write to who has gone. It has
// interrupted no wait.
bool is_synchronous(int number, const siginfo_t& info) noexcept {
    switch (number) {
        case SIGPIPE: return true;
        case SIGSEGV:
        case SIGBUS:
        case SIGILL:
        case SIGFPE:
        case SIGTRAP: return info.si_code > 0;
        default: return false;
    }
}

// What the kernel calls. A handler may throw, or end its thread, so that this is unwound; or jump.
void call_handler(int number, siginfo_t* info, void* context) {
    const handler of_program = entries[static_cast<std::size_t>(number)].read();
    const handler_frame frame(__builtin_frame_address(0), context);
    // Before the handler, which may not come back. Whoever is woken runs after it.
    if (enabled() && !is_synchronous(number, *info)) {
        coir::detail::count_signal_handler((of_program.flags & SA_RESTART) != 0);
    }
    if ((of_program.flags & SA_SIGINFO) != 0) {
        reinterpret_cast<handler_with_info>(of_program.function)(number, info, context);
    } else {
        reinterpret_cast<handler_of_number>(of_program.function)(number);
    }
}

bool is_ours(const struct sigaction& action) noexcept {
    return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == &call_handler;
}

bool has_handler(const struct sigaction& action) noexcept {
    return (action.sa_flags & SA_SIGINFO) != 0
               ? action.sa_sigaction != nullptr
               : action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

handler handler_of(const struct sigaction& action) noexcept {
    return {(action.sa_flags & SA_SIGINFO) != 0
                ? reinterpret_cast<handler_function>(action.sa_sigaction)
                : reinterpret_cast<handler_function>(action.sa_handler),
            action.sa_flags};
}

void show_instead(const handler& of_program, struct sigaction& shown) noexcept {
    if ((of_program.flags & SA_SIGINFO) != 0) {
        shown.sa_sigaction = reinterpret_cast<handler_with_info>(of_program.function);
    } else {
        shown.sa_flags &= ~SA_SIGINFO;
        shown.sa_handler = reinterpret_cast<handler_of_number>(of_program.function);
    }
}

// What the kernel has left of ours: a handler that was there for one signal is gone, and its flags
// are not.
bool is_left_of_ours(const struct sigaction& action) noexcept {
    constexpr unsigned once = SA_RESETHAND | SA_SIGINFO;
    return action.sa_handler == SIG_DFL && (static_cast<unsigned>(action.sa_flags) & once) == once;
}

// In a child of vfork(2) the table is its parent's, and what the child does about its signals is
// not.
bool is_own_table() noexcept {
    return !has_vforked.load(std::memory_order_relaxed) || is_in_own_process();
}

[[gnu::constructor]] void prepare() noexcept {
    coir::detail::signal_handlers_will_be_counted();
    ::pthread_atfork(nullptr, nullptr, [] {
        ::new (&writers) coir::detail::spin_lock;
        for (handler_entry& one : entries) {
            one.settle();
        }
    });
}

}  // namespace

// The program's memory is looked at before and after, and not with the signals blocked: a pointer
// of its own that points nowhere is a fault that it may handle.
int change_action(int number, const struct sigaction* action, struct sigaction* before) noexcept {
    auto* const change = COIR_ORIGINAL(sigaction);
    if (number <= 0 || number >= signal_count) {
        return change(number, action, before);
    }
    struct sigaction asked {};
    if (action != nullptr) {
        asked = *action;
    }
    struct sigaction found {};
    int result = 0;
    {
        const all_signals_blocked quiet;
        const std::lock_guard guard(writers);
        handler_entry& entry = entries[static_cast<std::size_t>(number)];
        const handler of_program = entry.read();
        const bool ours = has_handler(asked) && !is_ours(asked) && is_own_table();
        if (ours) {
            entry.write(handler_of(asked));
            asked.sa_sigaction = &call_handler;
            asked.sa_flags |= SA_SIGINFO;
        }
        result = change(number, action != nullptr ? &asked : nullptr, &found);
        if (result != 0 && ours) {
            entry.write(of_program);
        }
        if (is_ours(found)) {
            show_instead(of_program, found);
        } else if (is_left_of_ours(found)) {
            found.sa_flags &= of_program.flags | ~SA_SIGINFO;
        }
    }
    if (result == 0 && before != nullptr) {
        *before = found;
    }
    return result;
}

}  // namespace coir::hook::detail
