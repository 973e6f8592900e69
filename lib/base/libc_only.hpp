// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

namespace coir::detail {

// While one of these lives, libc's functions are libc's own on this thread, though the hook layer
// is linked in: for code that must not switch fibers, since it holds a lock of somebody else's or
// runs in a signal handler. So no fiber may switch while one lives, and what it counts is the
// thread's. One count for the library and the hook library, which may be another shared object.
class COIR_API libc_only {
public:
    libc_only() noexcept { begin(); }
    libc_only(const libc_only&) = delete;
    libc_only& operator=(const libc_only&) = delete;
    ~libc_only() { end(); }

    static void begin() noexcept { ++depth_; }
    static void end() noexcept { --depth_; }

    static bool now() noexcept { return depth_ != 0; }

    // How many there are, and back to so many: for who leaves a stretch by a jump.
    static int depth() noexcept { return depth_; }
    static void go_back_to(int depth) noexcept { depth_ = depth; }

private:
    // Read in signal handlers, and so never allocated on first use.
    inline static constinit thread_local int depth_ [[gnu::tls_model("initial-exec")]] = 0;
};

}  // namespace coir::detail
