// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::detail {

// The C++ runtime's per-thread record of exceptions, of which every fiber needs its own: two fibers
// that each stand in a catch block would otherwise rethrow and destroy each other's exception.
//
// The Itanium C++ ABI (section 2.2.2) fixes this layout, and libstdc++ and libc++abi share it. They
// declare the type without its members, so they are repeated here. (Only the 32-bit ARM EABI has a
// third member.)
struct [[gnu::may_alias]] exception_globals {
    void* caught_exceptions;       // stack of the exceptions whose handlers are being executed
    unsigned uncaught_exceptions;  // how many are thrown and have not reached a handler
};

// Addresses of what the calling thread has once and every fiber must have by itself. They are
// constant while the thread lives, and fibers are pinned, so a carrier looks them up once.
struct thread_globals {
    exception_globals* exceptions = nullptr;
    int* error_number = nullptr;

    static thread_globals of_this_thread() noexcept;

    // The state in which something new starts: no exception caught or in flight, and errno 0.
    void clear() const noexcept {
        *exceptions = {nullptr, 0};
        *error_number = 0;
    }
};

}  // namespace coir::detail
