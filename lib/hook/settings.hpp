// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::hook::detail {

// What COIR_HOOK says. Read when the program starts, and when libc's own functions are known to
// coir. Before that nothing is taken: constructors of other libraries may call.
struct settings {
    bool on = false;
    bool quiet = false;
    bool held_mutexes = false;      // report those that a fiber holds while it parks
    bool fiber_local_keys = false;  // of pthread keys that are made from now on
};

extern settings chosen;

// Whether calls are taken at all in this process.
inline bool enabled() noexcept { return chosen.on; }

}  // namespace coir::hook::detail
