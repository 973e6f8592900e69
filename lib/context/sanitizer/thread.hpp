// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <signal.h>
#include <unistd.h>

#include <cstddef>

#include "base/libc_only.hpp"
#include "context/stack.hpp"

namespace coir::detail {

// ThreadSanitizer keeps a shadow call stack and a clock per fiber. See none.hpp for what each call
// means.
//
// It also keeps signals back, until the fiber that was interrupted, and no other, makes a call of
// libc that it knows; and it forgets those that come while it sets up a fiber or takes one down. So
// that no handler waits for a fiber that waits for it, the thread's signals are blocked from before
// a switch until after it: the call that blocks them is one that it knows, and so is the call that
// lets them in.
//
// Where it keeps a fiber's signals is memory that the first of them makes it map, or the fiber's
// first call that may block; and one that comes in the midst of that is lost with a mapping that
// nobody finds again (libsanitizer of GCC 12, SigCtx). So a fiber's first call is made before it
// lets signals in.
class sanitizer_annotations {
public:
    void attach(const stack&) noexcept {
        block_signals();
        fiber_ = __tsan_create_fiber(0);
        let_signals_in(*this);
    }
    // A context that was never given a stack is the thread's own, and its handle is to be had only
    // while it runs. Flags 0: a switch orders what was before it before what comes after it, as on
    // one thread it does. Inlined without optimisation too: the sanitizer counts a function's entry
    // on the fiber that leaves, and would count its exit on the one that arrives.
    [[gnu::always_inline]] void leave_for(sanitizer_annotations& next) noexcept {
        block_signals();
        if (fiber_ == nullptr)
            fiber_ = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(next.fiber_, 0);
    }
    [[gnu::always_inline]] void leave_for_good(sanitizer_annotations& next) noexcept {
        leave_for(next);
    }
    void arrive_from(sanitizer_annotations& previous) noexcept {
        if (!keeps_signals_) {
            const libc_only no_hooks;
            ::usleep(0);
            keeps_signals_ = true;
        }
        let_signals_in(previous);
    }
    // A TSan fiber must not destroy itself, which is why this is not done by leave_for_good.
    void detach(const stack&) noexcept {
        block_signals();
        __tsan_destroy_fiber(fiber_);
        fiber_ = nullptr;
        keeps_signals_ = false;
        let_signals_in(*this);
    }

private:
    // The mask is the thread's, whichever fiber changes it, so the one who arrives restores what
    // the one who left has found.
    void block_signals() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &mask_);
    }
    static void let_signals_in(const sanitizer_annotations& blocker) noexcept {
        pthread_sigmask(SIG_SETMASK, &blocker.mask_, nullptr);
    }

    void* fiber_ = nullptr;
    bool keeps_signals_ = false;
    sigset_t mask_;
};

inline void poison_memory(const void*, std::size_t) noexcept {}
inline void unpoison_memory(const void*, std::size_t) noexcept {}

}  // namespace coir::detail
