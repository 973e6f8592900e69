// SPDX-License-Identifier: BSL-1.0
// pthread_once, and the initialisation of static locals, which compilers surround with calls of
// __cxa_guard_acquire and __cxa_guard_release, or __cxa_guard_abort. See beginnings.hpp.
//
// Neither is a cancellation point.
#include "hook/beginnings.hpp"
#include "hook/interpose.hpp"

#include <cxxabi.h>
#include <pthread.h>
#include <mutex>

// libc has a list of buffers for each thread, innermost first, and no header any more for the pair
// that compilers once made of pthread_cleanup_push.
extern "C" void _pthread_cleanup_push(_pthread_cleanup_buffer*, void (*)(void*), void*) noexcept;
extern "C" void _pthread_cleanup_pop(_pthread_cleanup_buffer*, int) noexcept;

using namespace coir::hook::detail;
using coir::detail::calling_fiber;
using coir::detail::who_calls;

namespace {

// What libc, or a sanitizer in its place, writes into what has been done.
pthread_once_t done_mark = PTHREAD_ONCE_INIT;

// Before anything is taken.
[[gnu::constructor(101)]] void learn_done_mark() {
    COIR_ORIGINAL(pthread_once)(&done_mark, [] {});
}

bool is_done(const pthread_once_t& control) noexcept {
    return __atomic_load_n(&control, __ATOMIC_ACQUIRE) == done_mark;
}

// std::call_once hands its function to pthread_once in variables of the thread's, where another
// fiber's call_once leaves nothing of it.
class call_once_arguments {
public:
#if defined(__GLIBCXX__) && defined(_GLIBCXX_HAVE_TLS)
    void restore() const noexcept {
        std::__once_callable = callable_;
        std::__once_call = call_;
    }

private:
    void* callable_ = std::__once_callable;
    void (*call_)() = std::__once_call;
#else
    void restore() const noexcept {}
#endif
};

_pthread_cleanup_buffer* innermost_cleanup() noexcept {
    _pthread_cleanup_buffer probe;
    _pthread_cleanup_push(&probe, nullptr, nullptr);
    _pthread_cleanup_pop(&probe, 0);
    return probe.__prev;
}

void set_innermost_cleanup(_pthread_cleanup_buffer* innermost) noexcept {
    _pthread_cleanup_buffer probe;
    probe.__prev = innermost;
    _pthread_cleanup_pop(&probe, 0);
}

// pthread_once has a buffer in that list while it makes the call, on the fiber's stack. Fibers that
// overtake each other would take out each other's and leave their own, long gone, for longjmp and
// pthread_exit to find. So it is out of the list meanwhile: nobody cancels a fiber's thread.
class call_in_fiber {
public:
    explicit call_in_fiber(void (*initialise)()) noexcept
        : initialise_(initialise), before_(innermost_cleanup()) {
        pending = this;
    }

    // For pthread_once, which calls it at once or not at all.
    static void make() { pending->call(); }

private:
    void call() const {
        struct relink_at_exit {
            ~relink_at_exit() { set_innermost_cleanup(libcs); }
            _pthread_cleanup_buffer* const libcs = innermost_cleanup();
        } const relink;
        set_innermost_cleanup(before_);
        initialise_();
    }

    static thread_local const call_in_fiber* pending;
    void (*const initialise_)();
    _pthread_cleanup_buffer* const before_;
};

thread_local const call_in_fiber* call_in_fiber::pending = nullptr;

turn begin_once(beginning& mine, const calling_fiber& caller) noexcept {
    const call_once_arguments arguments;
    const turn found = begin(mine, caller);
    arguments.restore();
    return found;
}

}  // namespace

COIR_HOOK int pthread_once(pthread_once_t* control, void (*initialise)()) {
    if (!enabled() || is_done(*control)) {
        return COIR_ORIGINAL(pthread_once)(control, initialise);
    }
    const calling_fiber caller = who_calls();
    beginning mine{control, doer(caller)};
    if (begin_once(mine, caller) != turn::ours) {
        return COIR_ORIGINAL(pthread_once)(control, initialise);
    }
    struct end_at_exit {
        ~end_at_exit() { end(mine); }
        beginning& mine;
    } const ending{mine};
    if (caller.id == 0) {
        return COIR_ORIGINAL(pthread_once)(control, initialise);
    }
    const call_in_fiber call(initialise);
    return COIR_ORIGINAL(pthread_once)(control, call_in_fiber::make);
}

namespace __cxxabiv1 {

COIR_HOOK int __cxa_guard_acquire(__guard* guard) {
    if (!enabled()) {
        return COIR_ORIGINAL(__cxa_guard_acquire)(guard);
    }
    const calling_fiber caller = who_calls();
    const bool ours = begin(guard, caller) == turn::ours;
    const int result = COIR_ORIGINAL(__cxa_guard_acquire)(guard);
    if (ours && result == 0) {
        end(guard, caller);  // it was done already
    }
    return result;
}

COIR_HOOK void __cxa_guard_release(__guard* guard) noexcept {
    COIR_ORIGINAL(__cxa_guard_release)(guard);
    end(guard, who_calls());
}

COIR_HOOK void __cxa_guard_abort(__guard* guard) noexcept {
    COIR_ORIGINAL(__cxa_guard_abort)(guard);
    end(guard, who_calls());
}

}  // namespace __cxxabiv1

// Another name of the same.
COIR_HOOK [[gnu::alias("pthread_once"), gnu::nonnull(1, 2)]] int __pthread_once(
    pthread_once_t* control, void (*initialise)());
