// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <utility>

#include "base/assert.hpp"
#include "context/jump/jump.hpp"
#include "context/sanitizer/annotations.hpp"
#include "context/stack.hpp"
#include "context/thread_globals.hpp"
#include "context/valgrind/annotations.hpp"

namespace coir::detail {

// What Boost.Context switches: a stack in the middle of being executed. Default-constructed it
// holds nothing; the first switch away from it then makes it the calling thread's own stack,
// prepare() gives it one from a pool, and adopt() takes over the one that is running.
//
// Why raw fcontext and not boost::context::fiber: it is symmetric (A goes straight to B), allocates
// nothing, and leaves the C++ exception globals alone in every version, while boost::context::fiber
// leaves them alone before Boost 1.88 and swaps them since. So they are swapped here, exactly once,
// whatever the version.
//
// All calls that involve two contexts are made on the one thread to which both are pinned. Neither
// may move in memory.
class execution_context {
public:
    // What runs on a stack. When it returns, the stack is left for good: by the context that it
    // names, its own or the last one that adopted the stack, which goes where end_with() has said.
    using entry_function = execution_context& (*)(void* argument) noexcept;

    execution_context() noexcept = default;
    ~execution_context() {
        COIR_ASSERT(!stack_, "an execution context dies while it holds a stack");
    }
    execution_context(const execution_context&) = delete;
    execution_context& operator=(const execution_context&) = delete;

    // The next switch_to(*this) starts entry(argument) on `s`, with no exception caught or in
    // flight, and errno 0: `globals` are those of the thread. Writes to the stack's top line.
    void prepare(const stack& s, entry_function entry, void* argument,
                 const thread_globals& globals) noexcept;

    // Stops here, continues `next`, and returns when someone switches back. Called on this context.
    void switch_to(execution_context& next, const thread_globals& globals) noexcept;

    // Says where the last switch from here goes, which follows when the entry function returns what
    // this gives. Whoever is resumed must take_stack() from this context, which has to live until
    // then.
    [[nodiscard]] execution_context& end_with(execution_context& next,
                                              const thread_globals& globals) noexcept;

    // Takes over the stack that is running, without a switch: `ended` has nothing left to do on it,
    // and holds nothing afterwards. Called on that stack; this context must hold nothing. The
    // thread's globals stay as they are, so whoever starts something new here calls
    // globals.clear().
    void adopt(execution_context& ended) noexcept;

    // Gives away the stack of a context that has left for good (or was never started), ready for
    // stack_pool::release. Called on another context. Holds nothing afterwards.
    [[nodiscard]] stack take_stack() noexcept;

    // It is about to be resumed: starts loading what the switch to it will pop, the registers that
    // the jump has saved and the frame of its caller.
    void prefetch() const noexcept {
        const auto* const at = static_cast<const char*>(resume_point_);
        __builtin_prefetch(at);
        __builtin_prefetch(at + from_jump_to_caller);
    }

    // Empty for the thread's own.
    const stack& current_stack() const noexcept { return stack_; }

private:
    static void start(boost::context::detail::transfer_t from) noexcept;

    // Where a suspended context goes on. The context that is resumed next writes it, as
    // Boost.Context makes it known only to that one; stale while this context runs.
    boost::context::detail::fcontext_t resume_point_ = nullptr;
    // Whom this context last switched to, or will at its end. Only a context that starts needs the
    // former: it has no frame yet that knows who it is.
    execution_context* next_ = nullptr;
    stack stack_;
    [[no_unique_address]] sanitizer_annotations sanitizer_;
    [[no_unique_address]] valgrind_annotations valgrind_;
};

// `this` stays valid across the jump, as nobody destroys a context that is suspended. No address of
// a thread-local is held across it either: the caller looked `globals` up once, and fibers are
// pinned.
inline void execution_context::switch_to(execution_context& next,
                                         const thread_globals& globals) noexcept {
    COIR_ASSERT(&next != this && next.resume_point_ != nullptr,
                "the next execution context is not suspended");
    const exception_globals exceptions = *globals.exceptions;
    const int error_number = *globals.error_number;
    next_ = &next;
    sanitizer_.leave_for(next.sanitizer_);

    const auto from = jump(next.resume_point_, this);

    // Back again, by a switch from any context of this thread; not necessarily from the one that we
    // went to.
    auto& previous = *static_cast<execution_context*>(from.data);
    sanitizer_.arrive_from(previous.sanitizer_);
    previous.resume_point_ = from.fctx;
    *globals.exceptions = exceptions;
    *globals.error_number = error_number;
}

}  // namespace coir::detail
