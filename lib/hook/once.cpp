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
    return COIR_ORIGINAL(pthread_once)(control, initialise);
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
