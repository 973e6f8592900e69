// SPDX-License-Identifier: BSL-1.0
#include "context/overflow.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>

#include "base/assert.hpp"
#include "base/system_calls.hpp"

namespace coir::detail {
namespace {

using signal_action = struct sigaction;
using signal_handler = void (*)(int, siginfo_t*, void*);

// A level is one handler function with the action that it passes faults on to. One level would do,
// if nobody else installed handlers. But when the application has put its handler on top of ours,
// ours can't be taken away at the end, as that one may still call it; and to install the same
// function on top of that one would close a ring. So the next installation uses the next level, and
// the one below stays as a link in the application's chain. When all are used up, overflows are no
// longer reported, and faults take the application's way.
constexpr std::size_t levels = 4;

struct fault_signal {
    int number;
    // The one to install at next; those below stay for ever. Guarded by install_mutex.
    std::size_t level = 0;
    // Each is written before its level is installed, and constant while that is.
    std::array<signal_action, levels> previous{};
    // The installed one; -1: none. Read in the handler.
    std::atomic<int> reporting_level{-1};
};

std::array<fault_signal, 2> fault_signals{{{SIGSEGV}, {SIGBUS}}};

std::mutex install_mutex;
std::size_t reporters = 0;  // guarded by install_mutex

// Stored before reporting_level, and loaded in the handler after that; so never null there.
std::atomic<overflow_reporter::describe_function> describe_overflow{nullptr};

// Builds the message without allocating; what does not fit is cut off.
class message {
public:
    void add(std::string_view text) noexcept {
        const std::size_t fits = std::min(text.size(), text_.size() - size_);
        std::memcpy(text_.data() + size_, text.data(), fits);
        size_ += fits;
    }
    void add(std::size_t number) noexcept {
        std::array<char, 20> digits;
        auto first = digits.end();
        do
            *--first = static_cast<char>('0' + number % 10);
        while ((number /= 10) != 0);
        add({&*first, static_cast<std::size_t>(digits.end() - first)});
    }
    // Nothing is left to be done if it cannot be written.
    void write_to_stderr() const noexcept {
        [[maybe_unused]] const auto written = sys.write(STDERR_FILENO, text_.data(), size_);
    }

private:
    std::array<char, 512> text_;
    std::size_t size_ = 0;
};

void report(const overflow_description& overflow) noexcept {
    constexpr std::size_t longest_name = 256;
    message text;
    text.add("coir: fiber ");
    if (overflow.fiber_name == nullptr || *overflow.fiber_name == '\0') {
        text.add("(unnamed)");
    } else {
        text.add("'");
        text.add({overflow.fiber_name, ::strnlen(overflow.fiber_name, longest_name)});
        text.add("'");
    }
    text.add(" overflowed its stack of ");
    text.add(overflow.stack_size_bytes);
    text.add(" bytes; raise fiber_options::stack_size (or run_options::stack_size)\n");
    text.write_to_stderr();
}

// SA_RESETHAND is the sign bit of the int that flags are kept in.
bool has_flag(const signal_action& action, unsigned flag) noexcept {
    return (static_cast<unsigned>(action.sa_flags) & flag) != 0;
}

void reset_to_default(int number) noexcept {
    signal_action action{};
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);
}

// Does what the kernel would have done with `previous` in our place.
void pass_on(int number, siginfo_t* info, void* context, const signal_action& previous) noexcept {
    const bool has_info = has_flag(previous, SA_SIGINFO);
    // By kill() and the like, so that to return does not fault again.
    const bool sent = info->si_code <= 0;
    if (!has_info && previous.sa_handler == SIG_IGN && sent)
        return;
    if (!has_info && (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)) {
        reset_to_default(number);
        // Blocked until the handler has returned. A fault needs no such thing: the instruction runs
        // into it again.
        if (sent)
            ::raise(number);
        return;
    }
    if (has_flag(previous, SA_RESETHAND))
        reset_to_default(number);
    // The mask of the interrupted code comes back when the handler returns.
    ::pthread_sigmask(SIG_BLOCK, &previous.sa_mask, nullptr);
    if (has_flag(previous, SA_NODEFER)) {
        sigset_t itself;
        ::sigemptyset(&itself);
        ::sigaddset(&itself, number);
        ::pthread_sigmask(SIG_UNBLOCK, &itself, nullptr);
    }
    if (has_info) {
        previous.sa_sigaction(number, info, context);
    } else {
        previous.sa_handler(number);
    }
}

template <std::size_t Level>
void on_fault(int number, siginfo_t* info, void* context) {
    const int saved_errno = errno;
    fault_signal& fault = fault_signals[number == SIGSEGV ? 0 : 1];
    if (fault.reporting_level.load() == static_cast<int>(Level) && info->si_code > 0) {
        overflow_description overflow;
        if (describe_overflow.load()(info->si_addr, overflow))
            report(overflow);
    }
    pass_on(number, info, context, fault.previous[Level]);
    errno = saved_errno;
}

constexpr std::array<signal_handler, levels> handler_of_level{&on_fault<0>, &on_fault<1>,
                                                              &on_fault<2>, &on_fault<3>};

void install(fault_signal& fault) noexcept {
    if (fault.level == levels)
        return;
    // `previous` has to be in place before the handler can run, so it is asked for first.
    ::sigaction(fault.number, nullptr, &fault.previous[fault.level]);
    fault.reporting_level.store(static_cast<int>(fault.level));
    signal_action action{};
    action.sa_sigaction = handler_of_level[fault.level];
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(fault.number, &action, nullptr);
}

void uninstall(fault_signal& fault) noexcept {
    if (fault.reporting_level.exchange(-1) < 0)
        return;
    signal_action current{};
    ::sigaction(fault.number, nullptr, &current);
    const bool on_top =
        has_flag(current, SA_SIGINFO) && current.sa_sigaction == handler_of_level[fault.level];
    if (on_top) {
        ::sigaction(fault.number, &fault.previous[fault.level], nullptr);
    } else {
        ++fault.level;
    }
}

std::size_t signal_stack_size() noexcept {
    std::size_t size = 64 * 1024;
#ifdef _SC_SIGSTKSZ
    size = std::max(size, static_cast<std::size_t>(std::max(::sysconf(_SC_SIGSTKSZ), 0L)));
#endif
    return size;
}

}  // namespace

overflow_reporter::overflow_reporter(describe_function describe) {
    stack_t existing{};
    ::sigaltstack(nullptr, &existing);
    if ((existing.ss_flags & SS_DISABLE) != 0) {
        const std::size_t size = signal_stack_size();
        void* const memory =
            sys.mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            throw std::system_error(
                errno, std::generic_category(),
                "coir: cannot map an alternate signal stack of " + std::to_string(size) + " bytes");
        }
        stack_t own{};
        own.ss_sp = memory;
        own.ss_size = size;
        ::sigaltstack(&own, nullptr);  // can't fail with a size that the system itself asks for
        own_signal_stack_ = memory;
        own_signal_stack_size_ = size;
    }

    const std::lock_guard lock(install_mutex);
    COIR_ASSERT(reporters == 0 || describe_overflow.load() == describe,
                "reporters of stack overflows disagree about who describes them");
    if (reporters++ == 0) {
        describe_overflow.store(describe);
        for (fault_signal& fault : fault_signals)
            install(fault);
    }
}

overflow_reporter::~overflow_reporter() {
    {
        const std::lock_guard lock(install_mutex);
        if (--reporters == 0)
            for (fault_signal& fault : fault_signals)
                uninstall(fault);
    }
    if (own_signal_stack_ == nullptr)
        return;
    stack_t current{};
    ::sigaltstack(nullptr, &current);
    if (current.ss_sp == own_signal_stack_) {
        stack_t none{};
        none.ss_flags = SS_DISABLE;
        ::sigaltstack(&none, nullptr);
    }
    sys.munmap(own_signal_stack_, own_signal_stack_size_);
}

}  // namespace coir::detail
