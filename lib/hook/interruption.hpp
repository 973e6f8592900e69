// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <array>
#include <atomic>
#include <cstdint>

namespace coir::hook::detail {

// Asks a carrier thread what it is in the midst of. A signal interrupts it, and in the handler the
// thread itself writes down its fiber and a backtrace: nobody else could read either.
//
// The signal is a real-time one that the program does nothing about: those are queued with a value,
// which is the place for the answer, and no library relies on their default, which ends the
// process. Its handler is given to libc itself: what it interrupts is not to learn of it, as it
// would of one of the program's. Handlers run on the alternate stack that every carrier has.
//
// Never destroyed: a thread that blocks the signal for now may take it at any time.
//
//   idle -> asked          ask, by who watches
//   asked -> answering     the handler, on the thread that is asked
//   answering -> answered  the same
//   asked -> idle          take, if there is no answer yet
//   answered -> idle       let_go
class interruption {
public:
    struct answer {
        std::uint64_t fiber = 0;  // 0: none was running
        std::uint32_t turns = 0;  // of its carrier
        std::array<char, 80> name{};
        std::array<void*, 64> frames{};  // innermost first
        int depth = 0;
    };

    // False if it cannot be asked: no signal is free, or the thread blocks it.
    bool ask(pthread_t thread, pid_t id) noexcept;

    bool is_answered() const noexcept {
        return state_.load(std::memory_order_acquire) == state::answered;
    }
    // After ask(), and valid until let_go(). Null if there is none, and then none will come.
    const answer* take() noexcept;
    void let_go() noexcept { state_.store(state::idle, std::memory_order_release); }

    // Makes what the handler does need no memory. Before the first ask().
    static void prepare() noexcept;

    // Has the calling thread let the signal in, as coir's own threads block all: false if it did
    // already. And no longer. These and ask() are not for several threads at once.
    static bool let_in() noexcept;
    static void shut_out() noexcept;

private:
    enum class state : std::uint8_t { idle, asked, answering, answered };

    static void handle(int number, siginfo_t* info, void* context) noexcept;
    static bool is_ours(int number) noexcept;
    static int signal_number() noexcept;
    void fill(const void* interrupted_at) noexcept;

    std::atomic<state> state_ = state::idle;
    std::atomic<pid_t> thread_ = 0;
    answer answer_;
};

}  // namespace coir::hook::detail
