// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace coir::hook::detail {

// One run of one handler of a signal, on the stack that it runs on: while one lives, every call of
// its thread is libc's own. It may have interrupted anything, coir's scheduler included, and so
// nothing may switch.
//
// A handler may be left by a jump. A frame belongs to it if it lies in
//
//     [where its thread is now, frame)                     of the innermost handler
//     [where the handler inside of it came, frame)         of one further out
//
// so that a jump to there is its own business, and any other leaves it. An alternate signal stack
// is no exception: each of these ranges lies in one stack.
//
// Async-signal-safe.
class handler_frame {
public:
    // `frame` is the address of the frame of the function that calls the handler, and `context`
    // what the kernel has told it.
    handler_frame(const void* frame, const void* context) noexcept;
    handler_frame(const handler_frame&) = delete;
    handler_frame& operator=(const handler_frame&) = delete;
    ~handler_frame();

    // Whether the calling code is in one.
    static bool is_inside() noexcept { return innermost_ != nullptr; }

    // Before a jump from a frame at `from` to one at `target`. Ends the program if the jump would
    // leave coir's scheduler in the midst of its work.
    static void leave_for(std::uintptr_t from, std::uintptr_t target) noexcept;

private:
    void leave() const noexcept;

    inline static constinit thread_local const handler_frame* innermost_
        [[gnu::tls_model("initial-exec")]] = nullptr;

    const std::uintptr_t frame_;
    const std::uintptr_t interrupted_;  // the stack pointer of the code that the signal found
    const handler_frame* const outer_;
    const int depth_outside_;
};

}  // namespace coir::hook::detail
