// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>

namespace coir::hook::detail {

// What the program says by coir_hook_default_options(), and then COIR_HOOK. Read when the program
// starts, and when libc's own functions are known to coir. Before that nothing is taken:
// constructors of other libraries may call.
struct settings {
    bool on = false;
    bool read = false;  // COIR_HOOK has been
    bool quiet = false;
    bool held_mutexes = false;              // report those that a fiber holds while it parks
    bool fiber_local_keys = false;          // of pthread keys that are made from now on
    bool files = false;                     // calls on files on disk are the blocking pool's
    std::chrono::milliseconds watchdog{0};  // report who holds a carrier for longer; 0: nobody
};

extern settings chosen;

// Whether this process has called vfork; since then each call must ask whose it is.
extern std::atomic<bool> has_vforked;
bool is_in_own_process() noexcept;

// Whether calls are taken at all in this process. A child of vfork(2) has its parent's memory, and
// with it a fiber that is the parent's; it must not notice that it is one.
inline bool enabled() noexcept {
    return chosen.on && (!has_vforked.load(std::memory_order_relaxed) || is_in_own_process());
}

}  // namespace coir::hook::detail
