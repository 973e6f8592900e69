// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace coir::detail {

// What is said about a fiber that ran over the end of its stack.
struct overflow_description {
    const char* fiber_name = nullptr;  // NUL-terminated; null or empty if it has none
    std::size_t stack_size_bytes = 0;  // as asked for
};

// Reports the stack overflow of a fiber on stderr, by the fiber's name, its stack size and the
// option to raise, in place of a bare "Segmentation fault". One lives on each carrier thread,
// created and destroyed on it, while the carrier runs fibers.
//
// The first one in the process installs handlers for SIGSEGV and SIGBUS, the last one takes them
// away again. The handler has to run on an alternate signal stack, as the fiber has no stack left:
// the thread's own one if it has it, else one that is mapped for it here.
//
// Every fault, an overflow too, is passed on to the handler that was there before; if there was
// none, the process dies by the signal, as it would have. If the application installs its handler
// later, it takes the place of this one, and passes faults on here or not, as it likes; it is then
// left in place at the end.
class overflow_reporter {
public:
    // Is `address` in the guard of the fiber that runs on this thread? Called in a signal handler.
    using describe_function = bool (*)(const void* address, overflow_description& out) noexcept;

    // Throws std::system_error if the alternate stack cannot be had. All reporters of a process
    // share one `describe`.
    explicit overflow_reporter(describe_function describe);
    ~overflow_reporter();
    overflow_reporter(const overflow_reporter&) = delete;
    overflow_reporter& operator=(const overflow_reporter&) = delete;

private:
    void* own_signal_stack_ = nullptr;  // null if the thread had one already
    std::size_t own_signal_stack_size_ = 0;
};

}  // namespace coir::detail
